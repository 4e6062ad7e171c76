"""What a job went through, of what was told and what squeue and sacct say now."""

from __future__ import annotations

import time

import pytest

from project.wrapper.follow import observe
from project.wrapper.follow.observe import Change
from tests.unit.wrapper.test_observe import END, START, SUBMIT, accounted, look, queued


def _local_s(text: str) -> float:
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


@pytest.mark.parametrize(
    ("last", "rows", "expected_tasks", "states"),
    [
        ("", [], 1, []),
        ("", [accounted("41", "PENDING")], 1, ["PENDING"]),
        ("PENDING", [accounted("41", "PENDING")], 1, []),
        ("", [accounted("41", "RUNNING")], 1, ["PENDING", "RUNNING"]),
        ("", [accounted("41", "COMPLETED")], 1, ["PENDING", "RUNNING", "COMPLETED"]),
        ("PENDING", [accounted("41", "TIMEOUT")], 1, ["RUNNING", "TIMEOUT"]),
        ("RUNNING", [accounted("41", "FAILED")], 1, ["FAILED"]),
        ("RUNNING", [accounted("41", "PENDING")], 1, ["PENDING"]),
        ("", [accounted("41", "CANCELLED by 0", NodeList="None assigned")], 1, ["PENDING", "CANCELLED"]),
        (
            "",
            [accounted("41", "CANCELLED by 0", NodeList="None assigned", Start="None")],
            1,
            ["PENDING", "CANCELLED"],
        ),
        ("", [accounted("41", "CANCELLED by 0")], 1, ["PENDING", "RUNNING", "CANCELLED"]),
        ("RUNNING", [accounted("41_1", "COMPLETED")], 2, []),
        ("RUNNING", [accounted("41_1", "COMPLETED"), accounted("41_2", "FAILED")], 2, ["FAILED"]),
        ("FAILED", [accounted("41", "FAILED")], 1, []),
        ("PENDING RUNNING", [accounted("41", "HIBERNATING")], 1, ["HIBERNATING"]),
        ("PENDING RUNNING HIBERNATING", [accounted("41", "COMPLETED")], 1, ["COMPLETED"]),
        ("PENDING HIBERNATING", [accounted("41", "COMPLETED")], 1, ["RUNNING", "COMPLETED"]),
        ("PENDING RUNNING PENDING", [accounted("41", "COMPLETED")], 1, ["RUNNING", "COMPLETED"]),
    ],
)
def test_the_way_of_a_job(last: str, rows: list[dict[str, str]], expected_tasks: int, states: list[str]) -> None:
    """States too short to be seen are told from the times Slurm keeps; what never ran is not said to have run."""
    tasks = {row["JobID"].partition("_")[2]: row for row in rows}
    assert [change.state for change in observe.changes(last.split(), tasks, expected_tasks)] == states


def test_changes_say_since_when() -> None:
    """The first submission, the first start, the last end."""
    later = "2026-11-20T10:09:00"
    tasks = {"1": accounted("41_1", "COMPLETED"), "2": accounted("41_2", "COMPLETED", Start=END, End=later)}
    assert observe.changes([], tasks, 2) == [
        Change("PENDING", _local_s(SUBMIT)),
        Change("RUNNING", _local_s(START)),
        Change("COMPLETED", _local_s(later)),
    ]


def test_an_end_that_another_follower_told_has_the_way_there_too() -> None:
    """What the journal keeps of a task has no times; those of the queue say that it was pending, and ran."""
    seen, _ = look({}, [queued("COMPLETED")], [])
    (kept,) = observe.changed_rows({}, seen)
    found, states = look({"": kept}, [queued("COMPLETED")], [])
    assert states == {"": "COMPLETED"}
    way = observe.changes(["SUBMITTED"], found, 1)
    assert [step.state for step in way] == ["PENDING", "RUNNING", "COMPLETED"]
    assert [step.since_s for step in way[:2]] == [_local_s(SUBMIT), _local_s(START)]
