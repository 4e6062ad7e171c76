"""Sending a job: what a second try sends again, and what it must not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import UsageError
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


def send(cluster: FakeCluster, file: Path, **record: Any) -> Submitted:
    """Send a job that is a single file."""
    cluster.events["run"] = [{"event": "end", "slurm_job_id": "47"}]
    dispatcher = Dispatcher(
        registry=FakeRegistry(),
        records=Records(file.parent / "parcel"),
        repositories=None,  # type: ignore[arg-type] # no job here comes from one
        wrapper=FakeProgram(),
        view=ListeningView(),
        logins=LoginChoice(),
    )
    job = {"job_uuid": UUID, "destination_cluster": CLUSTER}
    whole = {"job_uuid": UUID, "job": job, "cluster": "nic5", "job_file": str(file), "repository": None, **record}
    return dispatcher.send(whole, cluster, detach=False)


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
