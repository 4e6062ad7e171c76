"""Every way a job can end, on a real Slurm."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from tests.e2e.far_side import (
    accounted,
    fetched,
    mailed_states,
    registry_job,
    slurm,
    submit,
    wait_for_mail,
    wait_for_state,
    wait_until,
    write_job,
)

if TYPE_CHECKING:
    from pathlib import Path

    from demo.grid import Grid

pytestmark = pytest.mark.slurm


def test_array_tasks_that_end_differently(grid: Grid, tmp_path: Path) -> None:
    """Tasks that end differently each keep their state; the whole job takes the worst."""
    job_uuid = submit(
        grid,
        tmp_path,
        resources={"nbr_jobs_in_array": 3, "memory_per_thread": "50M"},
        execution=["test $SLURM_ARRAY_TASK_ID != 2"],
    )
    job = wait_for_state(grid, job_uuid, "DONE")
    assert job["job_status"]["State"] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert job["outcome"] == "FAILED"
    wait_for_mail(grid, job_uuid, "FAILED")
    assert mailed_states(grid, job_uuid)[-1] == "FAILED"


def test_tasks_cancelled_while_pending_still_count(grid: Grid, tmp_path: Path) -> None:
    """A scancel of pending tasks leaves 15 entries and an ended job, though the accounting never hears of them."""
    array = {"count": 15, "at_once": 2}
    job_uuid = submit(
        grid, tmp_path, resources={"nbr_jobs_in_array": array, "memory_per_thread": "50M"}, execution=["sleep 3"]
    )
    job = wait_for_state(grid, job_uuid, "RUNNING")
    slurm(grid, "scancel", f"{job['slurm_job_id']}_[5-15]")
    job = wait_for_state(grid, job_uuid, "DONE")
    assert job["job_status"]["State"] == ["COMPLETED"] * 4 + ["CANCELLED"] * 11
    assert job["outcome"] == "CANCELLED"


def test_job_that_can_never_start_is_told_within_a_minute(grid: Grid, tmp_path: Path) -> None:
    """A time limit above the partition's leaves the job pending for ever: a mail says so and what to do."""
    resources = {"partition": "debug", "duration": "30d", "memory_per_thread": "50M"}
    job_uuid = submit(grid, tmp_path, resources=resources, execution=["true"])
    mail = wait_until(functools.partial(_mail_with, grid, job_uuid, "PartitionTimeLimit"), 60, "the mail")
    assert "resources.duration" in mail
    told = grid.client("explain", job_uuid).stdout
    assert "will not start as it stands: its time limit is above the partition's" in told
    slurm(grid, "scancel", registry_job(grid, job_uuid)["slurm_job_id"])
    assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "CANCELLED"


def _mail_with(grid: Grid, job_uuid: str, words: str) -> str:
    texts = [str(mail.get_content()) for mail in grid.mails(job_uuid)]
    return next((text for text in texts if words in text and "will not start" in text), "")


@pytest.mark.parametrize(
    ("execution", "state", "exit_code", "explained"),
    [
        ("kill -9 $$", "FAILED", "0:9", "was killed from outside"),
        ("no-such-program", "FAILED", "127:0", "named no-such-program, which is not there"),
        ("exit 7", "FAILED", "7:0", "ended by itself with exit code 7"),
    ],
)
def test_failures_keep_slurms_words_and_are_explained(
    grid: Grid, tmp_path: Path, execution: str, state: str, exit_code: str, explained: str
) -> None:
    """A signal, a missing program and an exit code are kept in Slurm's own words; `explain` has plainer ones."""
    job_uuid = submit(grid, tmp_path, execution=[execution])
    job = wait_for_state(grid, job_uuid, "DONE")
    assert (job["outcome"], job["job_status"]["ExitCode"]) == (state, [exit_code])
    assert explained in grid.client("explain", job_uuid).stdout


def test_timeout_and_cancellation(grid: Grid, tmp_path: Path) -> None:
    """A job over its limit ends as TIMEOUT, one that somebody cancels as CANCELLED; both are mailed."""
    late = submit(grid, tmp_path, execution=["sleep 300"], resources={"duration": "1m", "memory_per_thread": "50M"})
    cancelled = submit(grid, tmp_path, execution=["sleep 301"])
    late_id = wait_for_state(grid, late, "RUNNING")["slurm_job_id"]
    slurm(grid, "scontrol", "update", f"jobid={late_id}", "EndTime=now")
    slurm(grid, "scancel", wait_for_state(grid, cancelled, "RUNNING")["slurm_job_id"])
    assert wait_for_state(grid, cancelled, "DONE")["outcome"] == "CANCELLED"
    assert wait_for_state(grid, late, "DONE")["outcome"] == "TIMEOUT"
    wait_for_mail(grid, late, "TIMEOUT")


def test_dependencies(grid: Grid, tmp_path: Path) -> None:
    """A child waits for its parent; after a failed parent it ends with mail; an unknown one is refused."""
    parent = submit(grid, tmp_path, execution=["sleep 4", "date +%s%N > end.txt"], output=["end.txt"])
    child = submit(grid, tmp_path, execution=["date +%s%N > start.txt"], output=["start.txt"], dependencies=[parent])
    ended = int((fetched(grid, parent, tmp_path) / "end.txt").read_text())
    assert int((fetched(grid, child, tmp_path) / "start.txt").read_text()) > ended
    failing = submit(grid, tmp_path, execution=["sleep 600"])
    orphan = submit(grid, tmp_path, execution=["true"], dependencies=[failing])
    slurm(grid, "scancel", wait_for_state(grid, failing, "PENDING", "RUNNING")["slurm_job_id"])
    assert wait_for_state(grid, orphan, "DONE")["outcome"] == "CANCELLED"
    wait_for_mail(grid, orphan, "CANCELLED")
    wait_for_state(grid, failing, "DONE")
    assert accounted(grid, failing, "JobName") == [failing]
    path = write_job(tmp_path, execution=["true"], dependencies=[failing])
    assert grid.client("-u", str(path), *grid.job_settings(), folder=tmp_path).returncode == 10
    path = write_job(tmp_path, execution=["true"], dependencies=["00000000-0000-4000-8000-000000000000"])
    done = grid.client("-u", str(path), *grid.job_settings(), folder=tmp_path)
    assert (done.returncode, "no job 00000000" in done.stderr) == (10, True)
