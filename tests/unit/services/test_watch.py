"""Watching jobs until all have ended, and what a shell would say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import NotEnded, RegistryError, RegistryUnavailable
from project.services.exit_code import exit_code_of
from project.services.watch import Watcher
from tests.unit.services.ports import UUID, FakeRegistry, QuickClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from project.core.errors import GridferryError

_OTHER = "9a8b0000-0000-4000-8000-000000000000"


def _job(job_uuid: str, state: str, outcome: str | None = None) -> dict[str, Any]:
    return {"job_uuid": job_uuid, "state": state, "outcome": outcome, "counts": {}}


class _Rounds(FakeRegistry):
    """Lists in each round what the round holds; the last one again and again."""

    def __init__(self, *rounds: list[dict[str, Any]] | GridferryError) -> None:
        super().__init__()
        self._rounds = list(rounds)
        self._over: list[dict[str, Any]] = []

    def jobs(self, **wanted: str) -> list[dict[str, Any]]:
        """Those that have not ended; or the parts of a campaign in the round that is just over, the newest first."""
        if "campaign" in wanted:
            return [job for job in self._over if job["campaign"]["uuid"] == wanted["campaign"]][::-1]
        assert wanted["ended"] == "false"
        return [job for job in self._now() if job["outcome"] is None]

    def jobs_beginning(self, prefixes: Sequence[str]) -> list[dict[str, Any]]:
        """Those asked for; the round is over."""
        self._over = self._now()
        found = [job for job in self._over if job["job_uuid"] in prefixes]
        if len(self._rounds) > 1:
            self._rounds.pop(0)
        return found

    def _now(self) -> list[dict[str, Any]]:
        now = self._rounds[0]
        if isinstance(now, list):
            return now
        self._rounds.pop(0)
        raise now


def _watch(
    registry: FakeRegistry, *uuids: str, limit_s: float | None = None
) -> tuple[list[list[str]], list[dict[str, Any]], list[float]]:
    clock, shown = QuickClock(), []

    def show(jobs: Sequence[Mapping[str, Any]]) -> None:
        shown.append([str(job["state"]) for job in jobs])

    jobs = Watcher(registry=registry, clock=clock).watch(uuids, show, limit_s)
    return shown, jobs, clock.waits_s


def test_each_round_is_shown_until_nothing_is_left_to_do() -> None:
    """The end in Slurm is not yet the end; while the registry is away the last standing stays."""
    running = [_job(UUID, "RUNNING"), _job(_OTHER, "DONE", "COMPLETED")]
    after = [_job(UUID, "POSTPROCESSING", "FAILED")]
    done = [_job(UUID, "DONE", "FAILED")]
    shown, jobs, _ = _watch(_Rounds(running, RegistryUnavailable("away"), after, done), UUID, _OTHER)
    assert shown == [["RUNNING", "DONE"]] * 2 + [["POSTPROCESSING", "DONE"], ["DONE", "DONE"]]
    assert [job["outcome"] for job in jobs] == ["FAILED", "COMPLETED"]


def test_without_a_name_all_that_have_not_ended_are_watched() -> None:
    """Those submitted meanwhile join, those that end stay to be told; with none there is nothing to do."""
    rounds = _Rounds(
        [_job(UUID, "RUNNING")],
        [_job(UUID, "DONE", "COMPLETED"), _job(_OTHER, "PENDING")],
        [_job(_OTHER, "DONE", "COMPLETED")],
    )
    shown, jobs, _ = _watch(rounds)
    assert shown[1] == ["DONE", "PENDING"]
    assert {job["job_uuid"] for job in jobs} == {UUID, _OTHER}
    assert _watch(_Rounds([])) == ([[]], [], [])


def test_waits_grow_until_something_changes() -> None:
    """Soon after a change, seldom when nothing happens, never more than ten seconds."""
    quiet = [_job(UUID, "RUNNING")]
    _, _, waits_s = _watch(
        _Rounds(*[quiet] * 200, [_job(UUID, "POSTPROCESSING", "FAILED")], [_job(UUID, "DONE")]), UUID
    )
    assert waits_s[1:200] == sorted(waits_s[1:200])
    assert max(waits_s) == 10.0
    assert waits_s[200] == waits_s[0]


def test_a_limit_ends_the_watching() -> None:
    """With how many have not ended, by then."""
    with pytest.raises(NotEnded, match="1 of 2 jobs have not ended"):
        _watch(_Rounds([_job(UUID, "RUNNING"), _job(_OTHER, "DONE")]), UUID, _OTHER, limit_s=60)


def test_nobodys_job_is_not_waited_for() -> None:
    """A whole UUID may be wrong, too."""
    with pytest.raises(RegistryError, match=f"knows no job {_OTHER} of yours"):
        _watch(_Rounds([_job(UUID, "RUNNING")]), UUID, _OTHER)


@pytest.mark.parametrize(
    ("outcome", "exit_code", "code"),
    [
        ("COMPLETED", "0:0", 0),
        ("FAILED", "7:0", 7),
        ("FAILED", "0:9", 137),
        ("OUT_OF_MEMORY", "0:125", 253),
        ("FAILED", "300:0", 255),
        ("TIMEOUT", "0:0", 13),
        ("CANCELLED", "", 13),
        (None, "", 13),
    ],
)
def test_the_exit_code_is_the_jobs_own(outcome: str | None, exit_code: str, code: int) -> None:
    """Its code, or 128 and the signal as in a shell; 13 where it has none and did not end well."""
    events = [("RUNNING", ""), (outcome or "ERROR", exit_code), ("DONE", "")]
    timeline = [{"kind": "state", "body": {"state": state, "exit_code": told}} for state, told in events]
    assert exit_code_of({"outcome": outcome, "timeline": [*timeline, {"kind": "notice", "body": {}}]}) == code


def test_parts_that_join_a_watched_campaign_are_watched() -> None:
    """Its UUID stands for all of its parts, those added by `extend` meanwhile, too, in their order."""
    campaign = {"uuid": UUID, "indexes": "1"}
    first, again = ({**_job(job_uuid, "RUNNING"), "campaign": campaign} for job_uuid in (UUID, _OTHER))
    ended = {"state": "DONE", "outcome": "COMPLETED"}
    shown, jobs, _ = _watch(
        _Rounds([first], [{**first, **ended}, again], [{**first, **ended}, {**again, **ended}]), UUID
    )
    assert shown == [["RUNNING"], ["DONE", "RUNNING"], ["DONE", "DONE"]]
    assert [job["job_uuid"] for job in jobs] == [UUID, _OTHER]
