"""A campaign's numbers: which part has which task, which attempt counts, what has failed."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.campaign import failed_indexes, is_first_part, places_of, tally_of
from project.core.errors import UsageError

_FIRST, _SECOND, _AGAIN = (f"3f2b000{number}-0000-4000-8000-000000000000" for number in range(3))


def part(job_uuid: str, indexes: str, *states: str, state: str = "DONE") -> dict[str, Any]:
    """A part whose first array tasks are in these states; Slurm does not know the others."""
    return {
        "job_uuid": job_uuid,
        "campaign": {"uuid": _FIRST, "indexes": indexes},
        "state": state,
        "counts": {word: states.count(word) for word in states},
        "job_status": {"JobID": [f"40_{task}" for task in range(1, len(states) + 1)], "State": list(states)},
    }


_PARTS = [
    part(_FIRST, "1-3", "COMPLETED", "FAILED", "TIMEOUT"),
    part(_SECOND, "4-5", "RUNNING", state="RUNNING"),
    part(_AGAIN, "2-3", "COMPLETED", "OUT_OF_MEMORY"),
]


def test_the_last_attempt_says_where_a_task_is() -> None:
    """Array tasks count from 1 in each part; those that ran again are in the later one."""
    assert places_of(_PARTS, "") == {_FIRST: {1: 1}, _SECOND: {1: 4, 2: 5}, _AGAIN: {1: 2, 2: 3}}
    assert places_of(_PARTS, "3-4") == {_AGAIN: {2: 3}, _SECOND: {1: 4}}


def test_numbers_that_a_campaign_has_not_are_refused() -> None:
    """With those it has."""
    with pytest.raises(UsageError, match="no task 6-7") as refused:
        places_of(_PARTS, "5-7")
    assert "1-5" in refused.value.remedy


def test_what_failed_is_judged_by_the_last_attempt() -> None:
    """What runs or waits has not; a part that never got into the queue has, as a whole."""
    assert failed_indexes(_PARTS) == [3]
    assert failed_indexes([part(_FIRST, "1,4", state="ERROR")]) == [1, 4]
    assert failed_indexes([part(_FIRST, "1,4", state="PENDING")]) == []


def test_tasks_that_slurm_does_not_know_stand_where_their_part_does() -> None:
    """And of a task that ran again the last attempt counts."""
    assert tally_of(_PARTS) == {"COMPLETED": 2, "RUNNING": 2, "OUT_OF_MEMORY": 1}
    assert tally_of(_PARTS[:2]) == {"COMPLETED": 1, "FAILED": 1, "TIMEOUT": 1, "RUNNING": 2}
    refused = part(_AGAIN, "2-3", state="ERROR")
    assert tally_of([*_PARTS[:2], refused]) == {"COMPLETED": 1, "RUNNING": 2, "ERROR": 2}


def test_only_the_first_parts_uuid_is_the_campaigns() -> None:
    """And no plain job's."""
    assert [is_first_part(one) for one in (*_PARTS, {"job_uuid": _FIRST, "campaign": None})] == [
        True, False, False, False,
    ]  # fmt: skip
