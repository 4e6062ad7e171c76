"""What of many jobs a screen shows."""

from __future__ import annotations

from typing import Any

import pytest

from project.adapters.show.screenful import most_urgent, screenful

_AT = "2026-11-20T10:00:00.000000Z"
_WIDTH = 100


def _jobs(state: str, count: int, outcome: str | None = None, flag: str = "") -> list[dict[str, Any]]:
    return [
        {
            "job_uuid": f"{number:08x}-0000-4000-8000-000000000000", "cluster": "nic5", "state": state,
            "outcome": outcome, "counts": {}, "created_at": _AT, "updated_at": _AT, "flag": flag, "job_name": state,
        }
        for number in range(count)
    ]  # fmt: skip


def _words(jobs: list[Any]) -> list[str]:
    return [job["outcome"] or job["state"] for job in jobs]


_DONE = _jobs("DONE", 100, "COMPLETED")
_FAILED = _jobs("DONE", 3, "FAILED")
_RUNNING = _jobs("RUNNING", 2)
_PENDING = _jobs("PENDING", 50)


def test_what_went_wrong_and_what_runs_comes_first() -> None:
    """Then what waits, in our queue or in Slurm's, then what ended well; those of a kind stay in their order."""
    created = _jobs("CREATED", 1)
    shown, left_out = most_urgent([*_DONE, *_PENDING, *created, *_RUNNING, *_FAILED], 8)
    assert _words(shown) == ["FAILED"] * 3 + ["RUNNING"] * 2 + ["PENDING"] * 3
    assert [job["job_uuid"] for job in shown] == [job["job_uuid"] for job in [*_FAILED, *_RUNNING, *_PENDING[:3]]]
    assert _words(left_out) == ["PENDING"] * 47 + ["CREATED"] + ["COMPLETED"] * 100


def test_many_failures_leave_half_of_the_room_to_what_goes_on() -> None:
    """And all of it where nothing goes on; a flagged job is one that went wrong, though it runs."""
    failed, flagged = _jobs("ERROR", 50), _jobs("RUNNING", 1, flag="runs past its limit")
    shown, _ = most_urgent([*_RUNNING, *_PENDING, *flagged, *failed], 10)
    assert _words(shown) == ["RUNNING"] + ["ERROR"] * 4 + ["RUNNING"] * 2 + ["PENDING"] * 3
    assert _words(most_urgent([*_DONE, *failed], 10)[0]) == ["ERROR"] * 10
    assert _words(most_urgent([*_RUNNING, *failed], 10)[0]) == ["ERROR"] * 8 + ["RUNNING"] * 2


@pytest.mark.parametrize("height", [8, 24, 60])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 19, 20, 21, 22, 23, 24, 56, 57, 150])
def test_it_never_scrolls(count: int, height: int) -> None:
    """One line of the screen stays for the cursor; nothing is wider; what is not shown is counted."""
    jobs = [*_DONE, *_PENDING][:count]
    lines = screenful(jobs, 40, height)
    assert len(lines) < height
    if count + 2 <= height:
        assert len(lines) == count + 1
    else:
        assert any(line.startswith(f"and {count - (height - 4)} more: ") for line in lines)
        assert lines[-1].startswith(f"{min(count, 100)} of {count} have ended: ")


def test_few_jobs_stay_in_their_order() -> None:
    """Nothing is counted that can be seen."""
    lines = screenful([*_DONE[:2], *_RUNNING[:1]], _WIDTH, 24)
    assert len(lines) == 4
    assert "COMPLETED" in lines[1]
    assert "RUNNING" in lines[3]
