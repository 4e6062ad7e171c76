"""The whole grid on one screen."""

from __future__ import annotations

from typing import Any

import pytest

from project.adapters.show.overview import Screen, every_node, overview

_AT = "2026-11-20T10:00:00.000000Z"


def _cluster(name: str, nodes: int) -> dict[str, Any]:
    states = ["idle", "allocated", "down", "drained"]
    told = [
        {
            "name": f"cn{number:03d}", "state": states[number % 4], "responding": True, "partitions": ["batch"],
            "cpus": {"allocated": 0, "total": 64}, "memory_mib": 1024, "reason": f"reason {number % 40}",
        }
        for number in range(nodes)
    ]  # fmt: skip
    return {"name": name, "status": {"nodes": told, "running_jobs": 1, "pending_jobs": 2, "taken_at": _AT}}


def _jobs(count: int) -> list[dict[str, Any]]:
    common: dict[str, Any] = {
        "cluster": "nic5", "state": "RUNNING", "outcome": None, "counts": {}, "created_at": _AT, "updated_at": _AT,
    }  # fmt: skip
    return [{**common, "job_uuid": f"{number:08x}-0000-4000-8000-000000000000"} for number in range(count)]


_LARGE = [_cluster(f"c{number:02d}", 300) for number in range(12)]
_SMALL = [_cluster("nic5", 4), _cluster("lemaitre3", 4)]


@pytest.mark.parametrize("height", [24, 40, 60])
@pytest.mark.parametrize("jobs", [0, 3, 25])
@pytest.mark.parametrize("clusters", [_SMALL, _SMALL[:1], _LARGE, [*_LARGE, *_SMALL]])
def test_it_fits_the_screen(clusters: list[dict[str, Any]], jobs: int, height: int) -> None:
    """The hints that something is missing, and the cursor, have their lines, too; every cluster is there."""
    told = overview(clusters, _jobs(jobs), Screen(100, height))
    assert len(told.lines) + 2 <= height
    assert all(any(str(cluster["name"]) in line for line in told.lines) for cluster in clusters)


def test_nodes_are_shown_where_there_is_room() -> None:
    """Each of a small cluster, those of a large one by kind; what is left out is told."""
    assert any("cn003" in line for line in overview(_SMALL, [], Screen(100, 24)).lines)
    large = overview(_LARGE, _jobs(3), Screen(100, 40))
    assert (large.hidden_nodes, large.hidden_jobs) == (True, False)
    small = overview(_SMALL, _jobs(25), Screen(100, 24))
    assert (small.hidden_nodes, small.hidden_jobs) == (False, True)
    assert not overview([{"name": "new", "status": None}], [], Screen(100, 24)).hidden_nodes


def test_nothing_is_left_out_where_there_is_no_end() -> None:
    """Of output that is no terminal, and of what was asked for by name."""
    told = overview(_LARGE, _jobs(25), Screen(None))
    assert not told.hidden_nodes
    assert not told.hidden_jobs
    assert sum(", as of " in line for line in told.lines) == len(_LARGE)
    assert sum("RUNNING" in line for line in told.lines) == 25
    each = overview(_LARGE, [], Screen(100), [every_node])
    assert sum(line.startswith("cn") or " cn" in line for line in each.lines) >= 3600
