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
    """The first start, and the end of the last of the tasks; a plain job's only start and end are both."""
    far = Far(tmp_path, duration="1m", memory_per_thread="10M", nbr_jobs_in_array=2)
    job = FollowedJob(far.job, 0.0)
    assert job.haste() == Haste.NONE
    files.make_folder(far.job.paths.marks)
    seen = []
    for mark in ("start.1", "start.2", "end.1", "end.2"):
        files.create(f"{far.job.paths.marks}/{mark}", b"")
        seen += [job.haste(), job.haste()]
    assert seen == [Haste.TURN, Haste.NONE, Haste.SOME, Haste.NONE, Haste.SOME, Haste.NONE, Haste.TURN, Haste.NONE]
