"""What the disk shows of a job between two questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project.wrapper import files
from project.wrapper.follow.followed import FollowedJob
from project.wrapper.follow.pace import Haste
from tests.unit.toolbox.test_logs import Far

if TYPE_CHECKING:
    from pathlib import Path


def test_a_turn_of_the_job_is_worth_a_question_and_a_task_among_many_is_not(tmp_path: Path) -> None:
    """The first start, and the last task's end until Slurm has had time to know; a plain job's only ones are both."""
    far = Far(tmp_path, duration="1m", memory_per_thread="10M", nbr_jobs_in_array=2)
    job = FollowedJob(far.job, 0.0)
    assert job.haste(0.0) == Haste.NONE
    files.make_folder(far.job.paths.marks)
    seen = []
    for mark in ("start.1", "start.2", "end.1", "end.2"):
        files.create(f"{far.job.paths.marks}/{mark}", b"")
        seen += [job.haste(1.0), job.haste(2.0)]
    assert seen == [Haste.TURN, Haste.NONE, Haste.SOME, Haste.NONE, Haste.SOME, Haste.NONE, Haste.TURN, Haste.TURN]
    assert job.haste(60.0) == Haste.NONE
