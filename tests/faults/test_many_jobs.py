"""A thousand jobs in the queue of a real Slurm: a round of the follower still asks once."""

from __future__ import annotations

import getpass
import os
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from project.wrapper import files
from tests.contract.processes import poll
from tests.contract.slurm.following import Following

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.slurm.cluster import Cluster, ClusterJob

_MANY = 1000
_HANDS = 4
_COUNTING = '#!/bin/sh\necho "$*" >> {calls}\nexec {real} "$@"\n'


class Counted:
    """Slurm's programs behind scripts that note each call.

    Args:
        folder: for the scripts, first on PATH.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        for program in ("squeue", "sacct", "scontrol"):
            script = folder / program
            script.write_text(_COUNTING.format(calls=self._calls(program), real=shutil.which(program)))
            script.chmod(0o755)

    def _calls(self, program: str) -> Path:
        return self._folder / f"{program}.calls"

    def forget(self) -> None:
        """Begin to count anew."""
        for calls in self._folder.glob("*.calls"):
            calls.unlink()

    def of_jobs(self) -> Counter[str]:
        """Return how often each program was asked about jobs; the look at the nodes comes every few minutes."""
        found = {calls.stem: calls.read_text().splitlines() for calls in self._folder.glob("*.calls")}
        return +Counter({name: sum("--format=%t" not in call for call in calls) for name, calls in found.items()})


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Slurm's programs, counted."""
    counted = Counted(tmp_path / "programs")
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}{os.pathsep}{os.environ['PATH']}")
    return counted


def _held(cluster: Cluster) -> ClusterJob:
    job = cluster.job("true")
    files.create(job.job.paths.slurm_job_id, job.submit_by_hand().encode())
    job.tell_submitted()
    return job


def _calls_until_all_are(state: str, jobs: list[ClusterJob], following: Following, counted: Counted) -> Counter[str]:
    """Take rounds until all jobs are told to be so; return the most calls of each program in any one round."""
    most: Counter[str] = Counter()

    def are_told() -> bool:
        nonlocal most
        most |= counted.of_jobs()
        counted.forget()
        return all(following.registry.states(job.job.job_uuid)[-1:] == [state] for job in jobs)

    counted.forget()
    following.until(are_told, f"all are told to be {state}")
    return most


def test_a_thousand_jobs_are_one_query(cluster: Cluster, counted: Counted) -> None:
    """One squeue and one sacct a round; when jobs have ended, one more sacct for what they used."""
    files.make_folder(cluster.paths.follower)
    following = Following(cluster)
    with ThreadPoolExecutor(_HANDS) as hands:
        jobs = list(hands.map(lambda _: _held(cluster), range(_MANY)))
    assert len(cluster.slurm.queue()) >= _MANY
    most = _calls_until_all_are("PENDING", jobs, following, counted)
    assert most == {"squeue": 1, "sacct": 1}
    cluster.command("scancel", f"--user={getpass.getuser()}")
    ours = {job.job.job_uuid for job in jobs}
    poll(
        lambda: {row.state for row in cluster.slurm.queue() if row.name in ours} == {"CANCELLED"}, "all are cancelled"
    )
    most = _calls_until_all_are("DONE", jobs, following, counted)
    assert most == {"squeue": 1, "sacct": 2}
    for job in jobs:
        assert following.registry.states(job.job.job_uuid) == ["SUBMITTED", "PENDING", "CANCELLED", "DONE"]
