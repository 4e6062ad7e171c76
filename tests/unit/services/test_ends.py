"""How jobs and campaigns ended, as one word and one exit code each."""

from __future__ import annotations

from typing import Any

from project.services.ends import Ends
from tests.unit.core.test_campaign import part
from tests.unit.services.ports import FakeRegistry, QuickClock

_FIRST, _SECOND, _AGAIN = (f"3f2b000{number}-0000-4000-8000-000000000000" for number in range(3))


def _part(job_uuid: str, indexes: str, outcome: str, exit_codes: dict[str, str]) -> dict[str, Any]:
    """A part that has ended; its tasks with these exit codes did not end well."""
    numbers = range(1, len(exit_codes) + 1)
    told = {"kind": "state", "body": {"state": outcome, "exit_code": max(exit_codes.values())}}
    columns = {
        "JobID": [f"40_{number}" for number in numbers],
        "State": ["COMPLETED" if code == "0:0" else "FAILED" for code in exit_codes.values()],
        "ExitCode": list(exit_codes.values()),
    }
    return {
        **part(job_uuid, indexes),
        "state": "DONE",
        "outcome": outcome,
        "job_status": columns,
        "timeline": [told],
    }


def _digest(parts: int, state: str, message: str = "so many ended well") -> dict[str, Any]:
    return {"kind": "digest", "body": {"state": state, "message": message, "parts": parts}}


class _Campaign(FakeRegistry):
    """Knows the parts of a campaign; each digest comes one question later than the one before."""

    def __init__(self, parts: list[dict[str, Any]], *digests: dict[str, Any]) -> None:
        super().__init__()
        self._parts = {str(each["job_uuid"]): each for each in parts}
        self._digests = list(digests)
        self.listed = parts[::-1]
        self.asked_in_full: list[str] = []

    def job(self, job_uuid: str) -> dict[str, Any]:
        """All values of a part."""
        self.asked_in_full.append(job_uuid)
        found = dict(self._parts[job_uuid])
        if job_uuid == _FIRST:
            found["timeline"] = [*found["timeline"], *self._digests[:1]]
            self._digests = self._digests[1:] or self._digests
        return found


_WELL = {"1": "0:0", "2": "0:0"}


def test_a_campaign_ends_as_one() -> None:
    """One word, one code and one message; what its parts did stands within. Of a good end no more is asked."""
    parts = [_part(_FIRST, "1-2", "COMPLETED", _WELL), _part(_SECOND, "3-4", "COMPLETED", _WELL)]
    registry = _Campaign(parts, _digest(2, "COMPLETED", "4 of 4 tasks ended well"))
    end = Ends(registry=registry, clock=QuickClock()).of(_FIRST)
    assert end.as_json() == {
        "job_uuid": _FIRST,
        "outcome": "COMPLETED",
        "exit_code": 0,
        "message": "4 of 4 tasks ended well",
        "parts": [{"job_uuid": job_uuid, "outcome": "COMPLETED", "exit_code": 0} for job_uuid in (_FIRST, _SECOND)],
    }
    assert _SECOND not in registry.asked_in_full


def test_its_exit_code_is_that_of_a_task_which_did_not_run_again_well() -> None:
    """Task 3 failed with 7 and then ended well; what is left is the 9 of task 4."""
    parts = [
        _part(_FIRST, "1-2", "COMPLETED", _WELL),
        _part(_SECOND, "3-4", "FAILED", {"3": "7:0", "4": "9:0"}),
        _part(_AGAIN, "3", "COMPLETED", {"3": "0:0"}),
    ]
    end = Ends(registry=_Campaign(parts, _digest(3, "FAILED")), clock=QuickClock()).of(_FIRST)
    assert (end.exit_code, [each.exit_code for each in end.parts]) == (9, [0, 9, 0])
    parts.append(_part("3f2b0003-0000-4000-8000-000000000000", "4", "COMPLETED", {"4": "0:0"}))
    end = Ends(registry=_Campaign(parts, _digest(4, "COMPLETED")), clock=QuickClock()).of(_FIRST)
    assert (end.outcome, end.exit_code) == ("COMPLETED", 0)


def test_the_digest_of_an_earlier_end_is_not_taken_for_this_one() -> None:
    """A campaign that was extended has the digest of fewer parts until the registry has written the new one."""
    parts = [_part(_FIRST, "1-2", "COMPLETED", _WELL), _part(_SECOND, "3", "FAILED", {"3": "7:0"})]
    old, new = _digest(1, "COMPLETED"), _digest(2, "FAILED")
    clock = QuickClock()
    end = Ends(registry=_Campaign(parts, old, old, old, new), clock=clock).of(_FIRST)
    assert (end.outcome, end.exit_code) == ("FAILED", 7)
    assert clock.waits_s


def test_a_digest_that_never_comes_is_not_waited_for_for_ever() -> None:
    """That nothing is known is no good end."""
    end = Ends(registry=_Campaign([_part(_FIRST, "1-2", "COMPLETED", _WELL)]), clock=QuickClock()).of(_FIRST)
    assert (end.message, end.exit_code) == ("nothing is known of its tasks", 13)


def test_a_later_part_and_a_plain_job_end_for_themselves() -> None:
    """Neither has parts, or a message."""
    end = Ends(registry=_Campaign([_part(_SECOND, "3", "FAILED", {"3": "7:0"})]), clock=QuickClock()).of(_SECOND)
    assert end.as_json() == {"job_uuid": _SECOND, "outcome": "FAILED", "exit_code": 7}
