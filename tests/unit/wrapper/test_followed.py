"""What the disk shows of a job between two questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project.core.slurm.commands import QueueRow
from project.wrapper import files
from project.wrapper.follow.followed import FollowedJob
from project.wrapper.follow.pace import Haste
from tests.unit.toolbox.test_logs import Far
from tests.unit.wrapper.test_observe import accounted

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


def test_what_another_follower_has_told_counts(tmp_path: Path) -> None:
    """Between two rounds another told of a start; an answer that knows no start yet does not take it back."""
    far = Far(tmp_path, duration="1m", memory_per_thread="10M")
    files.make_folder(far.job.paths.journal)
    files.make_folder(far.job.paths.steps)
    files.create(far.job.paths.slurm_job_id, b"41")
    files.create(f"{far.job.paths.steps}/submission", b"")
    first, second = (FollowedJob(far.job, 0.0) for _ in range(2))
    uuid, submit, start = far.job.job_uuid, "2026-11-20T10:00:00", "2026-11-20T10:00:05"
    for follower, state in ((first, "PENDING"), (second, "RUNNING")):
        follower.about_to_ask()
        follower.take_in([QueueRow("41", "N/A", state, "None", start, submit, uuid)], [], 1.0)
    first.about_to_ask()
    told_too_early = accounted("41", "FAILED", name="allocation", NodeList="None assigned")
    first.take_in([QueueRow("41", "N/A", "FAILED", "None", start, submit, uuid)], [told_too_early], 2.0)
    assert [entry["body"]["state"] for entry in far.job.journal.entries() if entry["kind"] == "state"] == [
        "PENDING",
        "RUNNING",
    ]
