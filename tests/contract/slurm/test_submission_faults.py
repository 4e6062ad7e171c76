"""Submitting exactly once when answers are lost, Slurm is silent, or the wrapper is killed; over the fake Slurm."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.errors import SubmissionRefused, SubmissionUnknown
from project.wrapper import files
from project.wrapper.slurm import Slurm
from project.wrapper.submission import RETRY_WAITS_S, SETTLE_S
from tests.fakes.clock import QuickClock

if TYPE_CHECKING:
    from tests.contract.slurm.cluster import Cluster, ClusterJob
    from tests.fakes.slurm import FakeSlurm

_ROOT = Path(__file__).resolve().parents[3]
_RUN = "echo run >> runs.txt"
_LONG = 100

_SUBMIT = """
import sys
from project.core.layout import ClusterPaths
from project.wrapper.job import open_job
from project.wrapper.lease import Lease
from project.wrapper.slurm import Slurm
from project.wrapper.submission import Submission
from tests.fakes.clock import QuickClock

job = open_job(ClusterPaths(sys.argv[1]), sys.argv[2], QuickClock())
lease = Lease(job.paths.lease)
assert lease.acquire()
Submission(job.job_uuid, job.paths, Slurm(), job.journal, lease, QuickClock()).submit()
"""


@pytest.fixture
def job(fake_cluster: Cluster) -> ClusterJob:
    """A job that notes each time it runs."""
    return fake_cluster.job(_RUN)


def _is_one_job(job: ClusterJob, fake: FakeSlurm) -> bool:
    """Whether just one Slurm job of this name has run its lines, once; any other was cancelled."""
    words = sorted(next(iter(taken["ended"].values()))[0] for taken in fake.jobs())
    return job.runs() == 1 and words in (["COMPLETED"], ["CANCELLED", "COMPLETED"])


@pytest.mark.parametrize("behaviour", ["lost", "lost and hang", "lost after a plugin spoke"])
def test_a_job_whose_answer_was_lost_is_adopted(job: ClusterJob, fake: FakeSlurm, behaviour: str) -> None:
    """Slurm took it and the answer never came: it is found by its name, and sbatch is not tried again."""
    job.cluster.slurm = Slurm(timeout_s=2.0)
    fake.next("sbatch", behaviour)
    assert job.submit() == "41"
    assert len(fake.calls("sbatch")) == 1
    assert _is_one_job(job, fake)


def test_a_warning_beside_the_answer_is_no_doubt(job: ClusterJob, fake: FakeSlurm) -> None:
    """Slurm takes the job and warns: the id counts, whatever words stand beside it."""
    fake.next("sbatch", "warn")
    assert job.submit() == "41"
    assert (len(fake.calls("sbatch")), fake.calls("squeue")) == (1, [])
    assert _is_one_job(job, fake)


def test_a_refusal_after_a_doubt_is_looked_into(job: ClusterJob, fake: FakeSlurm) -> None:
    """The limit that is hit may count the job whose answer was lost, and which nobody saw at first: it is adopted."""
    fake.next("sbatch", "lost", "refuse")
    for silent in ("squeue", "sacct"):
        fake.next(silent, "empty", "empty")
    assert job.submit() == "41"
    assert len(fake.calls("sbatch")) == 2
    assert _is_one_job(job, fake)


def test_a_refusal_without_a_doubt_is_not_tried_again(job: ClusterJob, fake: FakeSlurm) -> None:
    """Permanent is permanent: one sbatch, no look, no wait."""
    fake.next("sbatch", "refuse")
    with pytest.raises(SubmissionRefused):
        job.submit()
    assert isinstance(job.cluster.clock, QuickClock)
    assert ([len(fake.calls(program)) for program in ("sbatch", "squeue", "sacct")], job.cluster.clock.waits_s) == (
        [1, 0, 0],
        [],
    )


def test_a_no_in_unknown_words_is_believed_in_the_end(job: ClusterJob, fake: FakeSlurm) -> None:
    """Three times the same, while queue and accounting answer and know of no job: a refusal, in Slurm's words."""
    fake.next("sbatch", *["mutter"] * _LONG)
    with pytest.raises(SubmissionRefused, match="The moon is in the wrong phase"):
        job.submit()
    assert (len(fake.calls("sbatch")), job.id_on_disk) == (3, None)


def test_a_clock_an_hour_off_finds_its_job(fake_cluster: Cluster, job: ClusterJob, fake: FakeSlurm) -> None:
    """The login node's clock is ahead of Slurm's: what was submitted is looked for from long before."""
    fake_cluster.clock.sleep(3600)
    fake.next("sbatch", "lost")
    assert job.submit() == "41"
    (asked,) = fake.calls("sacct")
    since = asked.partition("--starttime=")[2].split()[0]
    assert time.mktime(time.strptime(since, "%Y-%m-%dT%H:%M:%S")) < time.time() - 86400
    assert _is_one_job(job, fake)


def test_a_job_taken_twice_runs_once(job: ClusterJob, fake: FakeSlurm) -> None:
    """Both are found; the second is cancelled and told."""
    fake.next("sbatch", "doubled")
    assert job.submit() == "41"
    assert _is_one_job(job, fake)
    assert ["42" in notice for notice in job.notices()] == [True]


@pytest.mark.parametrize("behaviours", [["fail", "fail"], ["hang"], ["empty", "fail"]])
def test_a_job_that_was_not_taken_is_submitted_again(job: ClusterJob, fake: FakeSlurm, behaviours: list[str]) -> None:
    """Only after queue and accounting have been asked twice, the accounting's lag apart, and just before."""
    job.cluster.slurm = Slurm(timeout_s=2.0)
    fake.next("sbatch", *behaviours)
    assert job.submit() == "41"
    tries = len(behaviours)
    assert len(fake.calls("sbatch")) == tries + 1
    assert [len(fake.calls(program)) for program in ("squeue", "sacct")] == [2 * tries, 2 * tries]
    assert isinstance(job.cluster.clock, QuickClock)
    assert job.cluster.clock.waits_s == [max(SETTLE_S, wait_s) for wait_s in RETRY_WAITS_S[:tries]]
    assert _is_one_job(job, fake)


def test_a_job_that_shows_up_late_is_waited_for(job: ClusterJob, fake: FakeSlurm) -> None:
    """The accounting shows a job by name seconds after its submission: the second look finds it."""
    fake.next("sbatch", "lost")
    fake.next("squeue", "empty")
    fake.next("sacct", "empty")
    assert job.submit() == "41"
    assert len(fake.calls("sbatch")) == 1


@pytest.mark.parametrize("silent", ["squeue", "sacct"])
def test_nothing_is_submitted_again_before_both_have_answered(job: ClusterJob, fake: FakeSlurm, silent: str) -> None:
    """One of the two being down says nothing about the job."""
    fake.next("sbatch", "fail")
    fake.next(silent, *["fail"] * _LONG)
    with pytest.raises(SubmissionUnknown, match="does not say whether it took the job") as caught:
        job.submit()
    assert caught.value.transient
    assert (len(fake.calls("sbatch")), job.id_on_disk) == (1, None)
    fake.next(silent)
    assert job.submit() == "41"
    assert _is_one_job(job, fake)


def test_a_slurm_that_stays_away_is_given_up_for_now(job: ClusterJob, fake: FakeSlurm) -> None:
    """After minutes of patience the outcome is unknown; resuming later leads to one job."""
    fake.next("sbatch", *["fail"] * _LONG)
    with pytest.raises(SubmissionUnknown):
        job.submit()
    assert len(fake.calls("sbatch")) == len(RETRY_WAITS_S) + 1
    assert isinstance(job.cluster.clock, QuickClock)
    assert sum(job.cluster.clock.waits_s) > 300
    fake.next("sbatch")
    assert job.submit() == "41"
    assert _is_one_job(job, fake)


@pytest.mark.parametrize("behaviours", [["fail", "fail"], ["lost"], ["lost and hang"]])
def test_a_release_that_was_not_answered_is_looked_up(
    job: ClusterJob, fake: FakeSlurm, behaviours: list[str]
) -> None:
    """Done or not, the queue tells; the job runs once."""
    job.cluster.slurm = Slurm(timeout_s=2.0)
    fake.next("scontrol", *behaviours)
    assert job.submit() == "41"
    assert _is_one_job(job, fake)


def test_an_id_that_was_given_out_again_is_not_released(job: ClusterJob, fake: FakeSlurm) -> None:
    """Slurm lost its state, and another job bears the id that was written down: it stays as its owner wants it."""
    files.create(job.job.paths.slurm_job_id, job.submit_by_hand().encode())
    (other,) = fake.jobs()
    fake.forget()
    fake.take_in([{**other, "name": "somebody's"}])
    assert job.submit() == "41"
    assert fake.calls("scontrol") == []


def test_a_job_that_cannot_be_released_stays_held(job: ClusterJob, fake: FakeSlurm) -> None:
    """It is told as such, and released when somebody resumes."""
    fake.next("scontrol", *["fail"] * _LONG)
    with pytest.raises(SubmissionUnknown, match="is held and could not be released"):
        job.submit()
    assert (job.id_on_disk, job.runs()) == ("41", 0)
    fake.next("scontrol")
    assert job.submit() == "41"
    assert _is_one_job(job, fake)


def test_a_twin_that_cannot_be_cancelled_stays_held(job: ClusterJob, fake: FakeSlurm) -> None:
    """The job itself is on record; the twin never runs, and the follower cancels it later."""
    for _ in range(2):
        job.submit_by_hand()
    fake.next("scancel", "fail")
    assert job.submit() == "41"
    assert job.runs() == 1
    assert job.in_slurm()["42"] == "PENDING JobHeldUser"


@pytest.mark.parametrize("program", ["sbatch", "scontrol", "squeue"])
@pytest.mark.parametrize("moment", ["killed before", "killed after"])
def test_a_wrapper_killed_at_any_moment_leaves_one_job(
    job: ClusterJob, fake: FakeSlurm, program: str, moment: str
) -> None:
    """Killed with -9 just before or after each of Slurm's commands; the next one goes on, and the job runs once."""
    fake.next(program, moment)
    fake.next("sbatch", *(["lost"] if program == "squeue" else [moment] if program == "sbatch" else []))
    argv = [sys.executable, "-c", _SUBMIT, job.cluster.paths.root, job.job.job_uuid]
    assert subprocess.run(argv, cwd=_ROOT, timeout=60, check=False).returncode == -9
    assert job.submit() == "41"
    assert _is_one_job(job, fake)
    assert len(fake.jobs()) == 1
