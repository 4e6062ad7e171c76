"""Submitting and following while the real slurmctld or slurmdbd stands still or is away."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from project.core.errors import SchedulerUnavailable
from project.wrapper import files
from tests.contract.processes import poll
from tests.contract.slurm.following import Following

if TYPE_CHECKING:
    from tests.contract.slurm.cluster import Cluster, ClusterJob
    from tests.faults.daemons import Daemons

_RUN = "echo $SLURM_JOB_ID >> runs.txt"
_OVER = {"COMPLETED", "CANCELLED"}
_MINUTE_S = 60.0
_WHOLE_WAY = ["SUBMITTED", "PENDING", "RUNNING", "COMPLETED", "DONE"]


def _assert_one_ran(job: ClusterJob, slurm_job_id: str) -> None:
    """One Slurm job ran the lines once; any other of its name was cancelled and told."""
    job.wait_until_it_ran()
    states = poll(lambda: _states_if_over(job), "all of its Slurm jobs are over")
    assert job.runs() == 1
    assert states.pop(slurm_job_id) == "COMPLETED"
    assert set(states.values()) <= {"CANCELLED"}
    assert len(job.notices()) == len(states)


def _states_if_over(job: ClusterJob) -> dict[str, str]:
    states = {found: state.split()[0] for found, state in job.in_slurm().items()}
    return states if set(states.values()) <= _OVER else {}


def test_what_slurm_does_after_its_client_gave_up_is_found(cluster: Cluster, daemons: Daemons) -> None:
    """The controller stands still for 20 s: sbatch gives up after 9, and the job it asked for comes all the same."""
    job = cluster.job(_RUN)
    with daemons.stopped("slurmctld", 20):
        slurm_job_id = job.submit()
    _assert_one_ran(job, slurm_job_id)


@pytest.mark.parametrize("how_far", ["before sbatch", "before the id is written", "before the release"])
def test_a_controller_away_for_a_minute_at_the_worst_time(cluster: Cluster, daemons: Daemons, how_far: str) -> None:
    """However far the submission had come: it waits, asks, and ends with one job."""
    job = cluster.job(_RUN)
    if how_far != "before sbatch":
        taken = job.submit_by_hand()
        if how_far == "before the release":
            files.create(job.job.paths.slurm_job_id, taken.encode())
    with daemons.away("slurmctld", _MINUTE_S):
        slurm_job_id = job.submit()
    _assert_one_ran(job, slurm_job_id)


def test_a_controller_killed_right_after_it_took_the_job(cluster: Cluster, daemons: Daemons) -> None:
    """Whether or not that Slurm job is on its disk already: the lines run at most once, and its id is one of ours."""
    job = cluster.job(_RUN)
    job.submit_by_hand()
    with daemons.away("slurmctld", 1, signal.SIGKILL):
        slurm_job_id = job.submit()
    if slurm_job_id in job.in_slurm():
        _assert_one_ran(job, slurm_job_id)
    assert job.id_on_disk == slurm_job_id
    assert job.runs() <= 1


def test_an_accounting_that_is_away_leaves_no_doubt_behind(cluster: Cluster, daemons: Daemons) -> None:
    """Slurm took a job and nobody wrote it down; the accounting does not answer for 15 s: that job is waited for."""
    job = cluster.job(_RUN)
    taken = job.submit_by_hand()
    with daemons.away("slurmdbd", 15):
        assert job.submit() == taken
    assert list(job.in_slurm()) == [taken]
    _assert_one_ran(job, taken)


def test_a_job_that_ends_while_the_accounting_is_away(cluster: Cluster, daemons: Daemons) -> None:
    """Nothing is told until it answers, however often it is asked; then everything is, once and in order."""
    files.make_folder(cluster.paths.follower)
    following, job = Following(cluster), cluster.job(_RUN)
    daemons.end("slurmdbd")
    job.into_the_queue()
    job.wait_until_it_ran()
    for _ in range(3):
        following.round()
    assert job.states() == ["SUBMITTED"]
    with pytest.raises(SchedulerUnavailable):
        cluster.slurm.account([str(job.id_on_disk)])
    daemons.restore()
    following.until(lambda: job.states()[-1] == "DONE", "its end is told")
    assert job.states() == _WHOLE_WAY


def test_a_running_job_that_is_requeued(cluster: Cluster) -> None:
    """An administrator starts it again: it goes on under the same id, its end is told once, its first start stays."""
    files.make_folder(cluster.paths.follower)
    following = Following(cluster)
    job = cluster.job(_RUN, "test ${SLURM_RESTART_COUNT:-0} -gt 0 || sleep 300", requeue=True)
    slurm_job_id = job.into_the_queue()
    following.until(lambda: job.states()[-1] == "RUNNING" and job.runs(), "it runs")
    cluster.command("scontrol", "requeue", slurm_job_id)
    following.until(lambda: job.states()[-1] == "PENDING", "it waits again")
    cluster.command("scontrol", "update", f"jobid={slurm_job_id}", "starttime=now+3")
    following.until(lambda: job.states()[-1] == "DONE", "its end is told")
    assert job.states() == ["SUBMITTED", "PENDING", "RUNNING", "PENDING", "RUNNING", "COMPLETED", "DONE"]
    assert job.runs() == 2
    assert list(job.in_slurm()) == [slurm_job_id]
