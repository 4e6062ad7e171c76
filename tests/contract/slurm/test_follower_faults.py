"""Following when Slurm is silent, the registry away, the disk full or another follower there; over the fake Slurm."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.messages import state_body
from project.wrapper import files
from project.wrapper.follow.report import Overtaken
from project.wrapper.lease import Lease
from tests.contract.slurm.following import Following

if TYPE_CHECKING:
    from tests.contract.slurm.cluster import Cluster, ClusterJob
    from tests.fakes.slurm import FakeSlurm

_WHOLE_WAY = ["SUBMITTED", "PENDING", "RUNNING", "COMPLETED", "DONE"]
_POSTPROCESSING = {
    "stage": "postprocessing", "number": 1, "module": "a.py", "execution": "python3 a.py", "when": "success",
}  # fmt: skip


@pytest.fixture
def following(fake_cluster: Cluster) -> Following:
    """A follower with nothing to do yet."""
    files.make_folder(fake_cluster.paths.follower)
    return Following(fake_cluster)


@pytest.fixture
def job(fake_cluster: Cluster) -> ClusterJob:
    """A job that has run already when it is first looked at."""
    job = fake_cluster.job("true")
    job.into_the_queue()
    return job


def active(cluster: Cluster) -> list[str]:
    """What is marked as active."""
    return sorted(path.name for path in Path(cluster.paths.active).iterdir())


def test_a_silent_scheduler_says_nothing(job: ClusterJob, following: Following, fake: FakeSlurm) -> None:
    """While either of the two does not answer, nothing changes; then everything comes."""
    for silent in ("squeue", "sacct"):
        fake.next(silent, *["fail"] * 10)
        for _ in range(2):
            following.round()
            assert job.states() == ["SUBMITTED"]
        fake.next(silent)
    following.round()
    assert job.states() == _WHOLE_WAY


def test_all_jobs_share_one_query(fake_cluster: Cluster, following: Following, fake: FakeSlurm) -> None:
    """However many there are, a round is one squeue and one sacct; another one asks how much memory they used."""
    jobs = [fake_cluster.job("true") for _ in range(4)]
    for job in jobs:
        job.into_the_queue()
    following.round()
    assert [job.states() for job in jobs] == [_WHOLE_WAY] * 4
    calls = [call for program in ("squeue", "sacct") for call in fake.calls(program) if "--format=%t" not in call]
    assert ["MaxRSS" in call for call in calls] == [False, False, True]


def test_nothing_is_lost_while_the_registry_is_away(
    fake_cluster: Cluster, job: ClusterJob, following: Following
) -> None:
    """The journal keeps what happened; it is sent in order when the registry is back, each entry once."""
    following.registry.go_away()
    for _ in range(5):
        following.round()
    assert job.states() == _WHOLE_WAY
    assert active(fake_cluster) == [job.job.job_uuid]
    following.registry.come_back()
    following.until(lambda: not active(fake_cluster), "everything is told")
    assert following.registry.states(job.job.job_uuid) == _WHOLE_WAY


def test_a_job_the_registry_refuses_holds_up_no_other(
    fake_cluster: Cluster, job: ClusterJob, following: Following
) -> None:
    """The other one is told and let go; the refused one is kept for days, then given up."""
    other = fake_cluster.job("true")
    other.into_the_queue()
    following.registry.refuses.add(job.job.job_uuid)
    following.until(lambda: active(fake_cluster) == [job.job.job_uuid], "the other job is let go")
    assert following.registry.states(other.job.job_uuid) == _WHOLE_WAY
    fake_cluster.clock.sleep(4 * 86400)
    following.round()
    assert active(fake_cluster) == []


def test_a_follower_that_was_overtaken_stops(fake_cluster: Cluster, job: ClusterJob, following: Following) -> None:
    """The registry has heard of a newer one: this one ends, and what it had to say is still in the journal."""
    following.registry.trouble = Overtaken(0)
    following.follower.run()
    assert not Lease(fake_cluster.paths.follower).is_held()
    assert job.job.journal.has_unsent()
    assert active(fake_cluster) == [job.job.job_uuid]


def test_a_follower_ends_when_no_job_is_left(fake_cluster: Cluster, job: ClusterJob, following: Following) -> None:
    """And gives its lease back."""
    following.follower.run()
    assert active(fake_cluster) == []
    assert following.registry.states(job.job.job_uuid) == _WHOLE_WAY
    assert not Lease(fake_cluster.paths.follower).is_held()


def test_a_second_follower_does_nothing(fake_cluster: Cluster, job: ClusterJob, following: Following) -> None:
    """While one holds the lease and shows life, another ends at once."""
    lease = Lease(fake_cluster.paths.follower)
    assert lease.acquire()

    class Beating(type(fake_cluster.clock)):  # type: ignore[misc]
        """A clock during whose waits the first follower shows life."""

        def sleep(self, _seconds: float) -> None:
            lease.heartbeat()

    following.follower._clock = Beating()
    following.follower.run()
    assert job.states() == ["SUBMITTED"]
    assert following.registry.taken == {}


def test_a_job_is_followed_once_its_submission_is_told(fake_cluster: Cluster, following: Following) -> None:
    """Released but not yet told: SUBMITTED must come before anything Slurm says."""
    job = fake_cluster.job("true")
    job.submit()
    following.round()
    assert job.states() == []
    job.tell_submitted()
    following.round()
    assert job.states() == _WHOLE_WAY


def test_a_job_without_a_slurm_job_is_resumed(fake_cluster: Cluster, following: Following) -> None:
    """Its wrapper died: another is started, not twice within half a minute, and not while one is at work."""
    job = fake_cluster.job("true")
    lease = Lease(job.job.paths.lease)
    assert lease.acquire()
    following.round()
    assert following.started == []
    lease.release()
    following.follower.round()
    following.follower.round()
    assert following.started == [("resume", job.job.job_uuid)]
    following.round()
    assert following.started == [("resume", job.job.job_uuid)] * 2


@pytest.mark.parametrize(
    ("line", "when", "starts"),
    [("true", "success", True), ("false", "success", False), ("false", "always", True)],
)
def test_postprocessing_is_started_after_the_end(
    fake_cluster: Cluster, following: Following, line: str, when: str, starts: bool
) -> None:
    """In a process of its own, after success or always; until it is done the job is not."""
    job = fake_cluster.job(line, modules=[{**_POSTPROCESSING, "when": when}])
    job.into_the_queue()
    following.round()
    following.round()
    assert following.started[:1] == ([("postprocess", job.job.job_uuid)] if starts else [])
    assert (job.states()[-1] == "DONE") is not starts


def test_an_ended_job_is_not_asked_about_any_more(job: ClusterJob, following: Following, fake: FakeSlurm) -> None:
    """A follower that starts anew knows it from the journal."""
    following.registry.go_away()
    following.round()
    assert job.states() == _WHOLE_WAY
    asked = len(fake.calls("sacct"))
    Following(job.cluster).round()
    assert len(fake.calls("sacct")) == asked
    assert job.states() == _WHOLE_WAY


def test_a_follower_that_starts_anew_tells_nothing_twice(
    fake_cluster: Cluster, following: Following, fake: FakeSlurm
) -> None:
    """Half of the way was told by one that was killed; the next goes on from the journal."""
    job = fake_cluster.job("true")
    slurm_job_id = job.submit_by_hand()
    files.create(job.job.paths.slurm_job_id, slurm_job_id.encode())
    job.tell_submitted()
    following.round()
    assert job.states() == ["SUBMITTED", "PENDING"]
    fake_cluster.command("scontrol", "release", slurm_job_id)
    Following(fake_cluster).round()
    assert job.states() == _WHOLE_WAY
    assert len(fake.jobs()) == 1


def test_a_marker_that_is_being_made_is_no_job(fake_cluster: Cluster, job: ClusterJob, following: Following) -> None:
    """Another job's preparation writes a temporary file beside the markers."""
    Path(fake_cluster.paths.active, ".new-0123456789abcdef").touch()
    following.round()
    assert following.started == []
    assert job.states() == _WHOLE_WAY


def test_a_job_whose_folder_is_gone_is_let_go(fake_cluster: Cluster, job: ClusterJob, following: Following) -> None:
    """Somebody removed it, before it was looked at or while it was followed; the others are followed on."""
    following.registry.go_away()
    other, third = (fake_cluster.job("true") for _ in range(2))
    third.submit()
    shutil.rmtree(other.job.paths.directory)
    following.follower._try_round()
    assert active(fake_cluster) == sorted([job.job.job_uuid, third.job.job_uuid])
    shutil.rmtree(third.job.paths.directory)
    following.registry.come_back()
    for _ in range(3):
        fake_cluster.clock.sleep(60)
        following.follower._try_round()
    assert job.states() == _WHOLE_WAY
    assert active(fake_cluster) == []


def test_a_disk_that_cannot_be_written_is_waited_for(job: ClusterJob, following: Following) -> None:
    """A full quota: the follower stays, forgets nothing, and goes on when there is room again."""
    journal = Path(job.job.paths.journal)
    journal.rename(journal.with_suffix(".away"))
    journal.touch()
    for _ in range(2):
        job.cluster.clock.sleep(60)
        following.follower._try_round()
    journal.unlink()
    journal.with_suffix(".away").rename(journal)
    assert job.states() == ["SUBMITTED"]
    following.round()
    assert job.states() == _WHOLE_WAY


def test_a_job_that_ended_with_an_error_is_told_and_let_go(fake_cluster: Cluster, following: Following) -> None:
    """It never came into Slurm's queue, and nobody tries again."""
    job = fake_cluster.job("true")
    job.job.journal.append("state", state_body("ERROR", stage="compilation", reason="it failed"))
    following.until(lambda: not active(fake_cluster), "it is told")
    assert following.registry.states(job.job.job_uuid) == ["ERROR"]
    assert following.started == []
