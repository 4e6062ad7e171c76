"""Waiting for all tasks of a campaign."""

from __future__ import annotations

from typing import Any

from project.core.answers import DIGEST
from project.core.errors import RegistryUnavailable
from project.services.campaign.wait import wait_for_campaign
from tests.unit.services.ports import UUID, FakeRegistry, ListeningView, QuickClock


def _standing(state: str, **counts: int) -> dict[str, Any]:
    """A campaign of ten tasks, in one part."""
    return {"job_uuid": UUID, "campaign": {"uuid": UUID, "indexes": "1-10"}, "state": state, "counts": counts}


class _Registry(FakeRegistry):
    """Tells how the campaign stands, question by question."""

    def __init__(self, *standings: dict[str, Any] | RegistryUnavailable) -> None:
        digest = {"kind": DIGEST, "body": {"state": "COMPLETED", "message": "all is well"}}
        super().__init__({"job_uuid": UUID, "state": "DONE", "timeline": [digest]})
        self._standings = list(standings)

    def jobs(self, **wanted: str) -> list[dict[str, Any]]:
        """The next answer."""
        assert wanted["campaign"] == UUID
        standing = self._standings.pop(0)
        if isinstance(standing, RegistryUnavailable):
            raise standing
        return [standing]


def _waits_s(*standings: dict[str, Any] | RegistryUnavailable) -> list[float]:
    clock = QuickClock()
    job = wait_for_campaign(_Registry(*standings), ListeningView(), clock, UUID, lambda: None)
    assert job["state"] == "DONE"
    return clock.waits_s


def test_tasks_that_end_one_by_one_are_no_reason_to_hurry() -> None:
    """The waits begin anew with the first end and with the last, and grow between, whatever else changes."""
    begun = [_standing("RUNNING", RUNNING=1 + number % 9) for number in range(60)]
    some = [_standing("RUNNING", COMPLETED=1 + number % 9) for number in range(60)]
    waits_s = _waits_s(*begun, *some, _standing("COMPLETED", COMPLETED=10), _standing("DONE", COMPLETED=10))
    for grown in (waits_s[:60], waits_s[60:120]):
        assert grown == sorted(grown)
        assert grown[-1] > 2 * grown[0]
    assert waits_s[0] == waits_s[60] == waits_s[120]


def test_a_registry_that_is_away_says_nothing() -> None:
    """Waiting goes on as if nobody had asked."""
    running, away = _standing("RUNNING", RUNNING=10), RegistryUnavailable("away")
    quiet = _waits_s(*[running] * 60, _standing("DONE", COMPLETED=10))
    assert _waits_s(*[running] * 20, *[away] * 20, *[running] * 20, _standing("DONE", COMPLETED=10)) == quiet


def test_the_first_end_and_the_last_are_news() -> None:
    """For whoever wants to be ready at the end; ends between them are not."""
    heard, clock = [], QuickClock()
    standings = [_standing("RUNNING", COMPLETED=done, RUNNING=10 - done) for done in (0, 0, 1, 2, 9, 10, 10)]
    registry = _Registry(*standings, _standing("DONE", COMPLETED=10))
    wait_for_campaign(registry, ListeningView(), clock, UUID, lambda: heard.append(len(clock.waits_s)))
    assert heard == [2, 5]
