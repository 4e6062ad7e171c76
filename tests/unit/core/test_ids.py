"""Slurm's job ids and task lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core.slurm.ids import (
    MAX_TASK_ID,
    SlurmId,
    failed_tasks,
    format_task_list,
    of_tasks,
    parse_id,
    parse_task_list,
)

_TASKS = st.sets(st.integers(0, 5000), min_size=1, max_size=40)


@given(_TASKS)
def test_task_lists_round_trip(tasks: set[int]) -> None:
    """Any set of task ids, written one by one, is read back in ascending order."""
    assert parse_task_list(",".join(map(str, tasks))) == sorted(tasks)


@given(st.integers(0, 5000), st.integers(0, 300), st.integers(1, 9), st.integers(1, 50))
def test_ranges_are_what_range_makes_of_them(first: int, length: int, step: int, at_once: int) -> None:
    """`first-last:step%throttle` is every step-th id, the last included."""
    last = first + length
    assert parse_task_list(f"{first}-{last}:{step}%{at_once}") == list(range(first, last + 1, step))


@given(st.integers(1, 10**9), _TASKS)
def test_ids_of_arrays_round_trip(job: int, tasks: set[int]) -> None:
    """The id of pending array tasks gives the job and each task."""
    assert parse_id(f"{job}_[{','.join(map(str, tasks))}%3]") == SlurmId(str(job), sorted(tasks))


@pytest.mark.parametrize(
    ("text", "job", "tasks"),
    [
        ("123", "123", []),
        ("123_4", "123", [4]),
        ("123_[4-6,8%2]", "123", [4, 5, 6, 8]),
        (" 7 ", "7", []),
        ("7_[]", "7", []),
    ],
)
def test_ids_are_read(text: str, job: str, tasks: list[int]) -> None:
    """Plain jobs, single tasks and lists of tasks."""
    assert parse_id(text) == SlurmId(job, tasks)


@pytest.mark.parametrize("text", ["", "123.batch", "123.0", "abc", "123_", "123_x", "12 3", "123_[1-3...", "-1"])
def test_what_is_no_id_is_refused(text: str) -> None:
    """Job steps, words and lists that were cut are no ids."""
    with pytest.raises(ValueError, match=r"."):
        parse_id(text)


@pytest.mark.parametrize("text", ["", "a", "1-", "-3", "1--3", "1-3:0", "5-1", "1,,2", "1;2", "1-3:x", "٣", "1\n#"])
def test_what_is_no_task_list_is_refused(text: str) -> None:
    """Nothing, words, ranges that run backwards, and digits Slurm does not know."""
    with pytest.raises(ValueError, match=r"."):
        parse_task_list(text)


def test_a_task_list_cannot_fill_the_memory() -> None:
    """More tasks than any Slurm takes are refused before they are counted out."""
    with pytest.raises(ValueError, match=f"to {MAX_TASK_ID}"):
        parse_task_list("0-99999999999")


@pytest.mark.parametrize(
    ("tasks", "text"), [([], ""), ([7], "7"), ([3, 1, 2], "1-3"), ([1, 2, 4, 6, 5, 6], "1-2,4-6"), ([0, 2], "0,2")]
)
def test_task_lists_are_written_as_slurm_takes_them(tasks: list[int], text: str) -> None:
    """In ranges, each task once; reading it gives the same tasks."""
    assert format_task_list(tasks) == text
    assert of_tasks("47", tasks) == f"47_[{text}]"
    assert not tasks or parse_task_list(text) == sorted(set(tasks))


def test_tasks_that_failed_are_those_that_ended_and_not_well() -> None:
    """Neither those that run nor plain jobs; cancelled ones are among them."""
    rows = [
        ("47_3", "FAILED"),
        ("47_1", "COMPLETED"),
        ("47_2", "CANCELLED by 7"),
        ("47_4", "RUNNING"),
        ("48", "FAILED"),
    ]
    assert failed_tasks(rows) == [2, 3]
    assert failed_tasks([("47_1", "COMPLETED")]) == []
