"""A campaign on one screen."""

from __future__ import annotations

from typing import Any

from project.adapters.show.campaign import facts
from project.adapters.show.jobs import standing
from project.core.outcomes import last_attempts
from tests.unit.core.test_campaign import part

_FIRST, _AGAIN = (f"3f2b000{number}-0000-4000-8000-000000000000" for number in range(2))


def _part(job_uuid: str, indexes: str, *states: str) -> dict[str, Any]:
    ended = {"kind": "digest", "body": {"state": "COMPLETED", "message": "3 of 3 tasks ended well"}}
    return {
        **part(job_uuid, indexes, *states),
        "job_name": "sweep",
        "cluster": "nic5",
        "created_at": "2026-11-20T10:00:00.000000Z",
        "timeline": [ended] if job_uuid == _FIRST else [],
    }


def test_all_parts_are_told_as_one() -> None:
    """The last attempt of each task counts and is listed by its number; the digest is that of all."""
    parts = [_part(_FIRST, "1-3", "COMPLETED", "FAILED", "COMPLETED"), _part(_AGAIN, "2", "COMPLETED")]
    told = dict(facts(parts))
    assert told["campaign"] == f"{_FIRST}  sweep"
    assert told["ended"] == "COMPLETED: 3 of 3 tasks ended well"
    assert told["tasks"] == "3 COMPLETED"
    assert [(row["JobID"], row["State"]) for row in last_attempts(parts)] == [
        ("40_1", "COMPLETED"), ("40_2", "COMPLETED"), ("40_3", "COMPLETED"),
    ]  # fmt: skip


def test_how_far_several_jobs_are_is_one_count() -> None:
    """Parts of a campaign with tasks that Slurm does not know yet, an array, and jobs without tasks."""
    first = {**part(_FIRST, "1-4", "COMPLETED", "RUNNING"), "state": "RUNNING"}
    array = {"state": "RUNNING", "counts": {"FAILED": 1, "PENDING": 2}}
    jobs = [first, array, {"state": "COMPILING", "counts": {}}, {"state": "ERROR", "counts": {}}]
    ended, total, told = standing(jobs)
    assert (ended, total) == (3, 9)
    assert set(told.split(", ")) == {
        "3 RUNNING", "1 COMPLETED", "1 FAILED", "2 PENDING", "1 COMPILING", "1 ERROR",
    }  # fmt: skip
