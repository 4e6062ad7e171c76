"""Jobs and tasks as tables show them."""

from __future__ import annotations

from project.adapters.show.jobs import worth_showing


def _rows(*states: str) -> list[dict[str, str]]:
    return [{"JobID": f"7_{number}", "State": state} for number, state in enumerate(states, 1)]


def test_of_many_tasks_those_that_matter_are_shown() -> None:
    """What failed, then what runs, then what waits, each in its order; what ended well is left out."""
    rows = _rows("PENDING", "COMPLETED", "RUNNING", "FAILED", "CANCELLED by 0", "PENDING", "TIMEOUT")
    assert [row["JobID"] for row in worth_showing(rows, 6)] == ["7_4", "7_5", "7_7", "7_3", "7_1", "7_6"]
    assert [row["JobID"] for row in worth_showing(rows, 2)] == ["7_4", "7_5"]
    assert worth_showing(_rows(*["COMPLETED"] * 9), 8) == []


def test_few_tasks_are_all_shown() -> None:
    """In their order."""
    rows = _rows("COMPLETED", "PENDING", "FAILED")
    assert worth_showing(rows, 3) == rows
