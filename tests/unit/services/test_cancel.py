"""Cancelling jobs on several clusters."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.errors import GridferryError, StillAlive, Unreachable
from project.services.cancel import Cancelled, Canceller, judge
from project.services.far_side import FarSide
from project.services.logins import LoginChoice
from tests.unit.services.ports import FakeCluster, FakeProgram, FakeRecords, FakeRegistry, ListeningView, Person

_UUIDS = [f"3f2b000{number}-0000-4000-8000-000000000000" for number in range(4)]


class _Records(FakeRecords):
    def load(self, job_uuid: str) -> dict[str, Any] | None:
        """Nothing is on record here."""
        assert job_uuid in _UUIDS
        return None


def _cancel(cluster: FakeCluster, *jobs: dict[str, Any], tasks: str = "") -> list[Cancelled]:
    view = ListeningView()
    far_side = FarSide(
        connector=cluster,
        records=_Records(),
        toolbox=FakeProgram(),
        prompter=Person(),
        view=view,
        logins=LoginChoice(),
    )
    canceller = Canceller(registry=FakeRegistry(*jobs), far_side=far_side, view=view)
    return list(canceller.cancel(_UUIDS[: len(jobs)], tasks, {}))


def _event(job_uuid: str, had_ended: str = "", *survivors: dict[str, str]) -> dict[str, Any]:
    return {"event": "cancelled", "job_uuid": job_uuid, "had_ended": had_ended, "survivors": list(survivors)}


def _job(cluster: str, **more: Any) -> dict[str, Any]:
    return {"ended": False, "cluster": cluster, **more}


def test_jobs_of_one_cluster_share_a_connection() -> None:
    """What has ended is told without one; what lives on is told with its tasks."""
    cluster = FakeCluster()
    alive = {"tasks": "3-7", "state": "COMPLETING", "reason": "None"}
    cluster.events["cancel"] = [_event(_UUIDS[2]), _event(_UUIDS[1], "", alive), _event(_UUIDS[3], "FAILED")]
    ended = {"ended": True, "outcome": "COMPLETED", "cluster": "a"}
    results = _cancel(cluster, ended, *[_job("a") for _ in range(3)])
    assert results == [
        Cancelled(_UUIDS[0], "had ended", "COMPLETED"),
        Cancelled(_UUIDS[2], "cancelled"),
        Cancelled(_UUIDS[1], "lives", "tasks 3-7 COMPLETING"),
        Cancelled(_UUIDS[3], "had ended", "FAILED"),
    ]
    assert (len(cluster.logins), cluster.closed) == (1, 1)
    assert cluster.words == ["", *_UUIDS[1:4]]
    with pytest.raises(StillAlive, match="1 of 4 jobs could not be cancelled"):
        judge(results)
    judge([result for result in results if result.verdict != "lives"])


def test_a_cluster_that_is_away_does_not_hold_up_the_others() -> None:
    """Its jobs are told as failed; a single job's error is told as it is."""
    cluster = FakeCluster()
    cluster.says_once = True
    away: GridferryError = Unreachable("a is away")
    cluster.events["cancel"] = [away, _event(_UUIDS[1])]
    assert _cancel(cluster, _job("a"), _job("b")) == [
        Cancelled(_UUIDS[0], "failed", "a is away"),
        Cancelled(_UUIDS[1], "cancelled"),
    ]
    cluster.events["cancel"] = [away]
    with pytest.raises(Unreachable):
        _cancel(cluster, _job("a"))
