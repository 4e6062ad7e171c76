"""Following jobs to their end, over both Slurms."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.wrapper import files
from project.wrapper.follow.pace import Haste, waits_s
from tests.contract.slurm.following import FakeRegistry, Following

if TYPE_CHECKING:
    from tests.contract.slurm.cluster import Cluster, ClusterJob

_WAY = ["SUBMITTED", "PENDING", "RUNNING"]


@pytest.fixture
def following(cluster: Cluster) -> Following:
    """A follower with nothing to do yet."""
    files.make_folder(cluster.paths.follower)
    return Following(cluster)


def _follow_to_the_end(following: Following, job: ClusterJob) -> list[str]:
    """Take rounds until nothing is left to do for a job; return the states the registry heard."""
    following.until(lambda: not _is_active(job), "the job's end")
    assert following.registry.states(job.job.job_uuid) == job.states()
    return job.states()


def _is_active(job: ClusterJob) -> bool:
    return os.path.exists(f"{job.cluster.paths.active}/{job.job.job_uuid}")  # noqa: PTH110 - the far side's paths are text


def _states_of_tasks(job: ClusterJob) -> list[dict[str, str]]:
    """Return the rows that tell a state; others tell what was used."""
    told = [row for entry in job.job.journal.entries() if entry["kind"] == "tasks" for row in entry["body"]["rows"]]
    return [row for row in told if "State" in row]


def test_a_job_is_followed_to_its_end(cluster: Cluster, following: Following) -> None:
    """Every state is told in order, however short; then the job is active no more."""
    job = cluster.job("true")
    slurm_job_id = job.into_the_queue()
    assert _follow_to_the_end(following, job) == [*_WAY, "COMPLETED", "DONE"]
    rows = _states_of_tasks(job)
    assert (rows[-1]["JobID"], rows[-1]["task"], rows[-1]["State"]) == (slurm_job_id, "", "COMPLETED")
    assert following.started == []


def test_each_registry_hears_of_its_own_jobs(cluster: Cluster) -> None:
    """Whoever uses several has one account on a cluster: one registry that is away holds up none of the others."""
    files.make_folder(cluster.paths.follower)
    away, other = FakeRegistry(), FakeRegistry()
    away.go_away()
    following = Following(cluster, away=away, other=other)
    jobs = {key: cluster.job("true", registry=key) for key in ("", "away", "other")}
    for job in jobs.values():
        job.into_the_queue()
    following.until(lambda: not (_is_active(jobs[""]) or _is_active(jobs["other"])), "the ends that can be told")
    assert _is_active(jobs["away"])
    away.come_back()
    following.until(lambda: not _is_active(jobs["away"]), "the last one's end")
    for key, registry in (("", following.registry), ("away", away), ("other", other)):
        assert list(registry.taken) == [jobs[key].job.job_uuid]
        assert registry.states(jobs[key].job.job_uuid) == jobs[key].states()
        assert len(registry.statuses) == 1


def test_a_failure_is_told_with_exit_code_and_last_words(cluster: Cluster, following: Following) -> None:
    """What the job wrote to its standard error goes with its end."""
    job = cluster.job("echo the matrix is singular >&2", "exit 3")
    job.into_the_queue()
    assert _follow_to_the_end(following, job) == [*_WAY, "FAILED", "DONE"]
    (end,) = (entry["body"] for entry in job.job.journal.entries() if entry["body"].get("state") == "FAILED")
    assert (end["exit_code"], end["detail"]) == ("3:0", "the matrix is singular")


@pytest.mark.parametrize("code", [127, 128, 137, 255])
def test_an_exit_code_is_told_whole(cluster: Cluster, following: Following, code: int) -> None:
    """From 128 on the accounting tells 128 less, so that 255 looks like a command that was not found."""
    job = cluster.job(f"exit {code}")
    job.into_the_queue()
    _follow_to_the_end(following, job)
    (end,) = (entry["body"] for entry in job.job.journal.entries() if entry["body"].get("state") == "FAILED")
    assert (end["exit_code"], _states_of_tasks(job)[-1]["ExitCode"]) == (f"{code}:0", f"{code}:0")


def test_an_array_is_one_job(cluster: Cluster, following: Following) -> None:
    """One word for all tasks, the worst end for the whole; each task has its row, the failed one its last words."""
    job = cluster.job('[ "$SLURM_ARRAY_TASK_ID" != 2 ] || { echo two is odd >&2; exit 4; }', nbr_jobs_in_array=3)
    slurm_job_id = job.into_the_queue()
    assert _follow_to_the_end(following, job) == [*_WAY, "FAILED", "DONE"]
    (end,) = (entry["body"] for entry in job.job.journal.entries() if entry["body"].get("state") == "FAILED")
    assert (end["exit_code"], end["counts"]) == ("4:0", {"COMPLETED": 2, "FAILED": 1})
    assert end["detail"] == "two is odd"
    last = {row["task"]: (row["JobID"], row["State"]) for row in _states_of_tasks(job)}
    assert last == {
        "1": (f"{slurm_job_id}_1", "COMPLETED"),
        "2": (f"{slurm_job_id}_2", "FAILED"),
        "3": (f"{slurm_job_id}_3", "COMPLETED"),
    }


def test_a_job_cancelled_while_pending_never_ran(cluster: Cluster, following: Following) -> None:
    """Nobody is told that it did."""
    job = cluster.job("true")
    slurm_job_id = job.submit_by_hand()
    files.create(job.job.paths.slurm_job_id, slurm_job_id.encode())
    job.tell_submitted()
    cluster.command("scancel", slurm_job_id)
    assert _follow_to_the_end(following, job) == ["SUBMITTED", "PENDING", "CANCELLED", "DONE"]


def test_a_held_twin_is_cancelled_and_told(cluster: Cluster, following: Following) -> None:
    """One that a lost wrapper left behind, found while its sibling is followed."""
    job = cluster.job("true")
    own = job.submit_by_hand()
    files.create(job.job.paths.slurm_job_id, own.encode())
    job.tell_submitted()
    twin = job.submit_by_hand()
    following.until(lambda: job.in_slurm()[twin].startswith("CANCELLED"), "the twin is cancelled")
    assert [twin in notice for notice in job.notices()] == [True]
    cluster.command("scancel", own)


def test_the_cluster_itself_is_reported(cluster: Cluster, following: Following) -> None:
    """Its nodes and counts go with the first report, and not with each."""
    job = cluster.job("true")
    job.into_the_queue()
    _follow_to_the_end(following, job)
    (status,) = following.registry.statuses
    assert status["cluster"]["nodes"] == len(status["nodes"]) == 1
    assert status["nodes"][0]["state"] in ("idle", "mixed", "allocated", "completing")
    assert status["cluster"]["cpus"]["total"] == status["nodes"][0]["cpus"]["total"] > 0


def test_the_cluster_is_looked_at_again_when_a_job_has_lost_its_node(fake_cluster: Cluster) -> None:
    """With the end of a job whose node failed comes how the nodes are then, not minutes later; once."""
    assert fake_cluster.fake is not None
    files.make_folder(fake_cluster.paths.follower)
    following = Following(fake_cluster)
    job, other = fake_cluster.job("true"), fake_cluster.job("true")
    other.into_the_queue()
    _follow_to_the_end(following, other)
    assert len(following.registry.statuses) == 1
    fake_cluster.fake.lose_node(job.into_the_queue())
    assert _follow_to_the_end(following, job)[-2:] == ["NODE_FAIL", "DONE"]
    assert len(following.registry.statuses) == 2


@pytest.mark.slurm
def test_tasks_cancelled_while_pending_do_not_keep_an_array_from_ending(real_cluster: Cluster) -> None:
    """Slurm forgets them without a word; the array ends as CANCELLED once the others have ended."""
    files.make_folder(real_cluster.paths.follower)
    following = Following(real_cluster)
    job = real_cluster.job("sleep 2", nbr_jobs_in_array="1-6%2")
    slurm_job_id = job.into_the_queue()
    following.until(lambda: "RUNNING" in job.states(), "the first tasks run")
    real_cluster.command("scancel", f"{slurm_job_id}_[4-6]")
    assert _follow_to_the_end(following, job) == [*_WAY, "CANCELLED", "DONE"]
    (end,) = (entry["body"] for entry in job.job.journal.entries() if entry["body"].get("state") == "CANCELLED")
    assert end["counts"] == {"COMPLETED": 3, "CANCELLED": 3}


def test_marks_make_an_end_visible_at_once(fake_cluster: Cluster) -> None:
    """What the job script noted is looked at before the next query would be due."""
    files.make_folder(fake_cluster.paths.follower)
    following = Following(fake_cluster)
    job = fake_cluster.job("true")
    slurm_job_id = job.submit_by_hand()
    files.create(job.job.paths.slurm_job_id, slurm_job_id.encode())
    job.tell_submitted()
    following.follower.round()
    fake_cluster.command("scontrol", "release", slurm_job_id)
    fake_cluster.clock.sleep(waits_s(0.0, following.follower._slurm.latency_s)[Haste.TURN])
    following.follower.round()
    assert job.states()[-1] == "DONE"
    assert Path(job.job.paths.marks, "end.job").exists()
