"""What came of jobs and their tasks."""

from __future__ import annotations

import pytest

from project.core.outcomes import outcome_of
from tests.unit.core.test_campaign import part

_FIRST, _AGAIN = (f"3f2b000{number}-0000-4000-8000-000000000000" for number in range(2))


@pytest.mark.parametrize(("second_try", "outcome"), [("COMPLETED", "COMPLETED"), ("TIMEOUT", "TIMEOUT")])
def test_a_campaign_came_out_as_its_tasks_did_in_the_end(second_try: str, outcome: str) -> None:
    """A task that failed and then ran again counts by its last attempt."""
    parts = [part(_FIRST, "1-3", "COMPLETED", "FAILED", "COMPLETED"), part(_AGAIN, "2", second_try)]
    assert outcome_of(parts[:1]) == "FAILED"
    assert outcome_of(parts) == outcome


def test_a_plain_job_came_out_as_slurm_says() -> None:
    """Before that it stands where it stands."""
    assert outcome_of([{"state": "DONE", "outcome": "FAILED"}]) == "FAILED"
    assert outcome_of([{"state": "RUNNING", "outcome": None}]) == "RUNNING"
