"""Submitting exactly once: what is promised, over both Slurms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.errors import SubmissionRefused
from project.wrapper import files
from project.wrapper.lease import LeaseLost
from tests.contract.processes import poll

if TYPE_CHECKING:
    from tests.contract.slurm.cluster import Cluster

_RUN = "echo run >> runs.txt"


def test_a_job_is_submitted_held_written_down_and_released(cluster: Cluster) -> None:
    """The id is on disk, the job is held no more, and its lines run once."""
    job = cluster.job(_RUN)
    slurm_job_id = job.submit()
    assert job.id_on_disk == slurm_job_id
    job.wait_until_it_ran()
    assert job.runs() == 1
    assert list(job.in_slurm()) == [slurm_job_id]
    assert job.notices() == []


def test_submitting_again_changes_nothing(cluster: Cluster) -> None:
    """However often: the same id, one job, one run."""
    job = cluster.job(_RUN)
    assert len({job.submit() for _ in range(3)}) == 1
    job.wait_until_it_ran()
    assert (job.runs(), len(job.in_slurm())) == (1, 1)


def test_a_job_is_held_until_its_id_is_on_disk(cluster: Cluster) -> None:
    """What a wrapper leaves that dies in between waits in the queue and never runs."""
    job = cluster.job(_RUN)
    slurm_job_id = job.submit_by_hand()
    assert job.in_slurm() == {slurm_job_id: "PENDING JobHeldUser"}
    assert job.runs() == 0


def test_a_job_whose_id_was_written_is_released(cluster: Cluster) -> None:
    """The wrapper died between the two: the next one releases that very job."""
    job = cluster.job(_RUN)
    slurm_job_id = job.submit_by_hand()
    files.create(job.job.paths.slurm_job_id, slurm_job_id.encode())
    assert job.submit() == slurm_job_id
    job.wait_until_it_ran()
    assert (job.runs(), list(job.in_slurm())) == (1, [slurm_job_id])


def test_a_job_whose_id_was_not_written_is_found_by_its_name(cluster: Cluster) -> None:
    """The wrapper died after sbatch: the job it left is adopted, no second one is submitted."""
    job = cluster.job(_RUN)
    slurm_job_id = job.submit_by_hand()
    assert job.submit() == slurm_job_id
    job.wait_until_it_ran()
    assert (job.runs(), list(job.in_slurm())) == (1, [slurm_job_id])


def test_an_intent_without_a_job_leads_to_one_job(cluster: Cluster) -> None:
    """The wrapper died before sbatch: nothing is found, so the job is submitted now."""
    job = cluster.job(_RUN)
    files.replace_json(job.job.paths.intent, {"schema": 1, "at_s": cluster.clock.now_s()})
    slurm_job_id = job.submit()
    job.wait_until_it_ran()
    assert (job.runs(), list(job.in_slurm())) == (1, [slurm_job_id])


def test_surplus_twins_are_cancelled_and_told(cluster: Cluster) -> None:
    """Of several held jobs the first is adopted; the others never run, and the journal names them."""
    job = cluster.job(_RUN)
    first, *twins = [job.submit_by_hand() for _ in range(3)]
    assert job.submit() == first
    job.wait_until_it_ran()
    states = job.in_slurm()
    assert {twin: states[twin].split()[0] for twin in twins} == dict.fromkeys(twins, "CANCELLED")
    assert job.runs() == 1
    assert [[twin in notice for twin in twins] for notice in job.notices()] == [[True, False], [False, True]]


def test_a_twin_that_was_released_by_hand_never_runs_the_users_lines(cluster: Cluster) -> None:
    """The second line of defence: the guard in the job script."""
    job = cluster.job(_RUN)
    own = job.submit()
    job.wait_until_it_ran()
    twin = job.submit_by_hand()
    cluster.command("scontrol", "release", twin)
    poll(lambda: job.in_slurm()[twin].startswith("FAILED"), "the twin's end", 60)
    assert job.runs() == 1
    assert Path(job.job.paths.guard).read_text().strip() == own


def test_arrays_are_one_job(cluster: Cluster) -> None:
    """Each task runs once, under one id."""
    job = cluster.job("echo run >> runs.$SLURM_ARRAY_TASK_ID", nbr_jobs_in_array=3)
    slurm_job_id = job.submit()
    work = Path(job.job.paths.work)
    poll(lambda: len(list(Path(job.job.paths.marks).glob("end.*"))) == 3, "three ends", 60)
    assert sorted(path.read_text() for path in work.iterdir()) == ["run\n"] * 3
    assert set(job.in_slurm()) == {slurm_job_id}


def test_a_refusal_is_final_and_leaves_no_id(cluster: Cluster) -> None:
    """Slurm's words are told; nothing is queued, nothing written down."""
    job = cluster.job(_RUN, partition="nowhere")
    if cluster.fake:
        cluster.fake.next("sbatch", "refuse")
    with pytest.raises(SubmissionRefused, match="nvalid partition"):
        job.submit()
    assert (job.id_on_disk, job.in_slurm(), job.runs()) == (None, {}, 0)


def test_a_job_cancelled_before_its_release_is_not_waited_for(cluster: Cluster) -> None:
    """Somebody cancelled it while it was held: that is how it ended, and the follower will say so."""
    job = cluster.job(_RUN)
    slurm_job_id = job.submit_by_hand()
    files.create(job.job.paths.slurm_job_id, slurm_job_id.encode())
    cluster.command("scancel", slurm_job_id)
    assert job.submit() == slurm_job_id
    assert (job.runs(), files.read_text(job.job.paths.released)) == (0, slurm_job_id)


def test_a_job_held_again_later_stays_held(cluster: Cluster) -> None:
    """The release is done once; who holds the job afterwards means it."""
    job = cluster.job(_RUN)
    slurm_job_id = job.submit_by_hand()
    files.create(job.job.paths.slurm_job_id, slurm_job_id.encode())
    files.create(job.job.paths.released, slurm_job_id.encode())
    assert job.submit() == slurm_job_id
    assert job.in_slurm() == {slurm_job_id: "PENDING JobHeldUser"}
    cluster.command("scancel", slurm_job_id)


def test_one_that_lost_its_lease_submits_nothing(cluster: Cluster) -> None:
    """It is asked for just before sbatch: another process may be at work on this job."""
    job = cluster.job(_RUN)
    submission = job.submission()
    Path(job.job.paths.lease, "epoch-00000009").write_text("{}")
    with pytest.raises(LeaseLost):
        submission.submit()
    assert job.in_slurm() == {}
