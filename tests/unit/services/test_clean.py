"""Which folders go, and what fails with one cluster."""

from __future__ import annotations

from typing import Any

from project.core.errors import Unreachable
from project.services.clean import Cleaned, Cleaner
from project.services.far_side import FarSide
from project.services.logins import LoginChoice
from tests.unit.services.ports import (
    FakeCluster,
    FakeProgram,
    FakeRecords,
    FakeRegistry,
    ListeningView,
    Person,
    QuickClock,
)

_UUIDS = [f"3f2b000{number}-0000-4000-8000-000000000000" for number in range(3)]


class _Records(FakeRecords):
    def load(self, job_uuid: str) -> dict[str, Any] | None:
        """Nothing is on record here."""
        assert job_uuid in _UUIDS
        return None


class _Registry(FakeRegistry):
    def update_job(self, job_uuid: str, fields: Any) -> None:
        """Remember what was set."""
        self.relayed.append({job_uuid: fields})


def _cleaner(cluster: FakeCluster, registry: FakeRegistry) -> Cleaner:
    view = ListeningView()
    far_side = FarSide(
        connector=cluster,
        records=_Records(),
        toolbox=FakeProgram(),
        prompter=Person(),
        view=view,
        logins=LoginChoice(),
    )
    return Cleaner(registry=registry, far_side=far_side, view=view, clock=QuickClock())


def test_what_is_gone_is_noted_and_what_is_kept_is_told() -> None:
    """A job that has not ended is not even asked for."""
    ended = {"ended": True, "cluster": "a"}
    registry = _Registry({"ended": False, "state": "RUNNING"}, ended, ended)
    cluster = FakeCluster()
    cluster.events["clean"] = [
        {"event": "cleaned", "job_uuid": _UUIDS[1], "kept": "", "freed_bytes": 7},
        {"event": "cleaned", "job_uuid": _UUIDS[2], "kept": "it is RUNNING", "freed_bytes": 0},
    ]
    assert list(_cleaner(cluster, registry).clean(_UUIDS, {})) == [
        Cleaned(_UUIDS[0], "it is RUNNING", 0),
        Cleaned(_UUIDS[1], "", 7),
        Cleaned(_UUIDS[2], "it is RUNNING", 0),
    ]
    assert cluster.words == _UUIDS[1:]
    assert [list(noted) for noted in registry.relayed] == [[_UUIDS[1]]]


def test_a_cluster_that_is_away_keeps_its_folders() -> None:
    """And that is told; another one's go."""
    registry = _Registry({"ended": True, "cluster": "a"}, {"ended": True, "cluster": "b"})
    cluster = FakeCluster()
    cluster.says_once = True
    gone = {"event": "cleaned", "job_uuid": _UUIDS[1], "kept": "", "freed_bytes": 7}
    cluster.events["clean"] = [Unreachable("a is away"), gone]
    done = list(_cleaner(cluster, registry).clean(_UUIDS[:2], {}))
    assert done == [Cleaned(_UUIDS[0], "a is away", 0), Cleaned(_UUIDS[1], "", 7)]


def test_only_fetched_jobs_that_have_their_folder_are_proposed() -> None:
    """Of those that ended, before the time given."""
    registry = _Registry()
    registry.listed = [{"job_uuid": "1", "cleaned_at": None}, {"job_uuid": "2", "cleaned_at": "2026"}]
    assert [job["job_uuid"] for job in _cleaner(FakeCluster(), registry).candidates("then")] == ["1"]
    assert registry.asked[0] == {"ended": "true", "fetched": "true", "before": "then", "limit": "500"}
