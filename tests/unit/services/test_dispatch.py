"""Sending a job: what a second try sends again, and what it must not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import UsageError
from project.core.findings import GIT, MISSING, Known, warning
from project.ports import Stage
from project.services.dispatch import Dispatcher, Submitted
from project.services.logins import LoginChoice
from project.services.plan import version_of
from tests.unit.services.ports import (
    CLUSTER,
    UUID,
    FakeCluster,
    FakeProgram,
    FakeRecords,
    FakeRegistry,
    ListeningView,
)

if TYPE_CHECKING:
    from pathlib import Path

_WORK = f"/home/jdoe/gridferry/jobs/{UUID}/work"


class Records(FakeRecords):
    """Records with a parcel."""

    def __init__(self, parcel: Path) -> None:
        super().__init__()
        self._parcel = parcel
        parcel.write_bytes(b"parcel")

    def parcel(self, job_uuid: str) -> Path:
        """Where it lies."""
        assert job_uuid == UUID
        return self._parcel


class Repositories:
    """Packs what it is asked for."""

    def resolve(self, source: Any) -> str:
        """Every repository is at this commit."""
        return f"commit of {source}"

    def pack(self, url: str, commit: str, target: Path) -> None:
        """Pack."""
        target.write_text(f"{url} {commit}")


def send(cluster: FakeCluster, file: Path, known: Known = Known(), **record: Any) -> Submitted:  # noqa: B008
    """Send a job that is a single file."""
    cluster.events["run"] = [{"event": "end", "slurm_job_id": "47"}]
    dispatcher = Dispatcher(
        registry=FakeRegistry(),
        records=Records(file.parent / "parcel"),
        repositories=Repositories(),
        wrapper=FakeProgram(),
        toolbox=FakeProgram(),
        view=ListeningView(),
        logins=LoginChoice(known=lambda _: known),
    )
    job = {"job_uuid": UUID, "destination_cluster": CLUSTER}
    whole = {"job_uuid": UUID, "job": job, "cluster": "nic5", "job_file": str(file), "repository": None, **record}
    return dispatcher.send(whole, dispatcher.remote(CLUSTER, cluster), detach=False)


def test_a_job_file_that_changed_after_the_launch_is_not_sent(tmp_path: Path) -> None:
    """The cluster may be at work with what it was; what has not changed is sent again."""
    file = tmp_path / "run.py"
    file.write_text("one")
    before = version_of(file)
    cluster = FakeCluster()
    send(cluster, file, stage=Stage.LAUNCHED, job_file_as=before)
    assert f"{_WORK}/run.py" in cluster.uploads
    file.write_text("two")
    os.utime(file, ns=(0, before[1] + 1))
    cluster = FakeCluster()
    with pytest.raises(UsageError, match=r"run\.py has changed since it was submitted"):
        send(cluster, file, stage=Stage.LAUNCHED, job_file_as=before)
    assert f"{_WORK}/run.py" not in cluster.uploads


def test_before_anything_was_sent_the_job_file_may_change(tmp_path: Path) -> None:
    """What lies there when it is sent counts."""
    file = tmp_path / "run.py"
    file.write_text("one")
    cluster = FakeCluster()
    assert send(cluster, file, stage=Stage.CREATED, job_file_as=[0, 0]).slurm_job_id == "47"
    assert f"{_WORK}/run.py" in cluster.uploads


def test_where_doctor_found_no_git_the_clone_is_brought_at_once(tmp_path: Path) -> None:
    """The cluster need not fail first; where nothing is known it is left to try."""
    missing = Known("2026-11-20T10:00:00.000000Z", [warning("none", "", MISSING)._replace(check=GIT)])
    repository = {"url": "https://example.org/x.git", "commit": "abc"}
    brought = []
    for known in (Known(), missing):
        file = tmp_path / "run.py"
        file.write_text("one")
        cluster = FakeCluster()
        send(cluster, file, known, stage=Stage.CREATED, job_file=None, repository=repository)
        brought.append([target for target in cluster.uploads if target.endswith("/source.tar.gz")])
    assert brought[0] == []
    assert len(brought[1]) == 1
