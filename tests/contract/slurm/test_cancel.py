"""Cancelling: Slurm is asked, its queue is looked at, and what lives on is told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import SchedulerUnavailable, UsageError
from project.core.messages import LINE_PREFIX, state_body
from project.toolbox.cancel import PATIENCE_S, Cancellation
from project.wrapper import files
from project.wrapper.events import Events
from tests.contract.processes import poll

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.slurm.cluster import Cluster, ClusterJob
    from tests.fakes.slurm import FakeSlurm


def held(cluster: Cluster) -> ClusterJob:
    """A job that waits in the queue, its id on disk."""
    job = cluster.job("true")
    files.create(job.job.paths.slurm_job_id, job.submit_by_hand().encode())
    return job


def cancel(
    cluster: Cluster,
    *jobs: ClusterJob,
    tasks: str = "",
    start: Callable[[str, str], None] = lambda _command, _job: None,
) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Cancel; return for each job how it had ended before and what lives on."""
    log = f"{cluster.paths.root}/events"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        given = [job.job for job in jobs]
        Cancellation(given, tasks, cluster.slurm, Events(descriptor), cluster.clock, start).run()
    finally:
        os.close(descriptor)
    events = [json.loads(line.removeprefix(LINE_PREFIX)) for line in Path(log).read_text().splitlines()]
    return {event["job_uuid"]: (event["had_ended"], event["survivors"]) for event in events}


def test_several_jobs_are_cancelled_by_one_command(fake_cluster: Cluster, fake: FakeSlurm) -> None:
    """And each is told once the queue shows it as gone; what had ended before is left alone."""
    jobs = [held(fake_cluster) for _ in range(3)]
    jobs[2].job.journal.append("state", state_body("FAILED"))
    told = cancel(fake_cluster, *jobs)
    assert told == {job.job.job_uuid: ("FAILED" if job is jobs[2] else "", []) for job in jobs}
    assert fake.calls("scancel") == ["scancel 41 42"]


def test_an_id_that_was_given_out_again_is_not_cancelled(fake_cluster: Cluster, fake: FakeSlurm) -> None:
    """Slurm lost its state, and another job bears the id: ours is gone, and the other one lives."""
    job = held(fake_cluster)
    (other,) = fake.jobs()
    fake.forget()
    fake.take_in([{**other, "name": "somebody's"}])
    assert cancel(fake_cluster, job) == {job.job.job_uuid: ("", [])}
    assert fake.calls("scancel") == []


def test_what_would_not_die_is_told_and_flagged(fake_cluster: Cluster, fake: FakeSlurm) -> None:
    """Slurm took the word and nothing happens: after a while that is journalled, for lists to show."""
    job = held(fake_cluster)
    fake.next("scancel", "empty")
    started_s = fake_cluster.clock.now_s()
    ((_, survivors),) = cancel(fake_cluster, job).values()
    assert survivors == [{"tasks": "", "state": "PENDING", "reason": "JobHeldUser"}]
    assert fake_cluster.clock.now_s() - started_s >= PATIENCE_S
    body = job.job.journal.entries()[-1]["body"]
    assert body["flag"] == "would not die: PENDING (JobHeldUser)"
    assert body["severity"] == "warning"


@pytest.mark.parametrize("program", ["scancel", "squeue"])
def test_a_silent_slurm_cancels_nothing(fake_cluster: Cluster, fake: FakeSlurm, program: str) -> None:
    """Neither is anything told about the job, then."""
    job = held(fake_cluster)
    fake.next(program, "fail")
    with pytest.raises(SchedulerUnavailable):
        cancel(fake_cluster, job)
    assert job.job.journal.entries() == []


def test_a_job_that_slurm_does_not_have_is_kept_from_getting_there(fake_cluster: Cluster, fake: FakeSlurm) -> None:
    """It is marked, and where nobody works on it somebody is started, who ends it."""
    job, started = fake_cluster.job("true"), []

    def start(command: str, job_uuid: str) -> None:
        started.append((command, job_uuid))
        assert Path(job.job.paths.cancelled).exists()
        job.job.journal.append("state", state_body("ERROR"))

    assert cancel(fake_cluster, job, start=start) == {job.job.job_uuid: ("", [])}
    assert started == [("resume", job.job.job_uuid)]
    assert fake.calls("scancel") == []


def test_a_job_that_gets_into_the_queue_meanwhile_is_cancelled_there(fake_cluster: Cluster, fake: FakeSlurm) -> None:
    """Its submission had begun before it was marked."""
    job = fake_cluster.job("true")

    def start(_command: str, _job_uuid: str) -> None:
        files.create(job.job.paths.slurm_job_id, job.submit_by_hand().encode())

    assert cancel(fake_cluster, job, start=start) == {job.job.job_uuid: ("", [])}
    assert fake.calls("scancel") == ["scancel 41"]


def test_tasks_that_there_are_not(fake_cluster: Cluster) -> None:
    """A plain job has none, an array those of its job file; nothing is cancelled then."""
    with pytest.raises(UsageError, match="is no array"):
        cancel(fake_cluster, held(fake_cluster), tasks="1")
    with pytest.raises(UsageError, match="the job has no task 4"):
        cancel(fake_cluster, fake_cluster.job("true", nbr_jobs_in_array=3), tasks="2-5")


@pytest.mark.slurm
def test_tasks_of_a_real_array(real_cluster: Cluster) -> None:
    """Running and waiting ones die, even those that ignore it at first; the others go on until all are cancelled."""
    array = {"ids": "1-6", "at_once": 3}
    job = real_cluster.job(
        "trap '' TERM; touch begun.$SLURM_ARRAY_TASK_ID", "sleep 300 & wait", nbr_jobs_in_array=array
    )
    slurm_job_id = job.into_the_queue()
    poll(lambda: len(list(Path(job.job.paths.work).glob("begun.*"))) == 3, "three tasks run", 60)
    assert cancel(real_cluster, job, tasks="2,5-6") == {job.job.job_uuid: ("", [])}
    command = ["squeue", "-hr", "--states=all", f"--jobs={slurm_job_id}", "--format=%K %T"]
    rows = dict(line.split() for line in real_cluster.command(*command).splitlines())
    alive = {task for task, state in rows.items() if state in ("RUNNING", "PENDING")}
    assert alive == {"1", "3", "4"}
    assert cancel(real_cluster, job) == {job.job.job_uuid: ("", [])}
