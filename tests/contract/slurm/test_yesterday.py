"""Jobs older than midnight, which sacct leaves out by itself, and than squeue's memory; over the fake Slurm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from project.wrapper import files
from tests.contract.slurm.following import Following

if TYPE_CHECKING:
    from tests.contract.slurm.cluster import Cluster
    from tests.fakes.slurm import FakeSlurm

_DAY_S = 86400
_LONG = 50


@pytest.fixture
def following(fake_cluster: Cluster) -> Following:
    """A follower with nothing to do yet."""
    files.make_folder(fake_cluster.paths.follower)
    return Following(fake_cluster)


def _a_day_ago() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() - _DAY_S))


def _leave_yesterday(fake: FakeSlurm) -> None:
    """Let every job be of yesterday, and forgotten by squeue."""
    fake.change(submit=_a_day_ago(), start=_a_day_ago(), end=_a_day_ago())
    fake.next("squeue", *["empty"] * _LONG)


def test_a_job_that_ended_yesterday_is_told(fake_cluster: Cluster, fake: FakeSlurm, following: Following) -> None:
    """Nobody followed meanwhile: the accounting is asked for its id, whatever the day."""
    job = fake_cluster.job("exit 3")
    job.into_the_queue()
    _leave_yesterday(fake)
    following.until(lambda: job.job.job_uuid not in fake_cluster.active, "the job's end")
    assert following.registry.states(job.job.job_uuid)[-2:] == ["FAILED", "DONE"]


def test_a_job_whose_id_was_lost_yesterday_is_found(fake_cluster: Cluster, fake: FakeSlurm) -> None:
    """The wrapper died after sbatch; who resumes today looks by name from before that on, and finds it."""
    job = fake_cluster.job("true")
    slurm_job_id = job.submit_by_hand()
    intent = {"schema": 1, "at_s": fake_cluster.clock.now_s() - _DAY_S}
    files.replace_json(job.job.paths.intent, intent)
    _leave_yesterday(fake)
    assert job.submit() == slurm_job_id
    assert len(fake.calls("sbatch")) == 1
