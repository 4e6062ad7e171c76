"""The cluster a job names, among those the registry knows."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.errors import UsageError
from project.services.select_cluster import find_cluster

_CLUSTERS: list[dict[str, Any]] = [
    {"name": "nic5", "workload_manager": "slurm"},
    {"name": "lemaitre3", "workload_manager": "slurm", "enabled": True},
    {"name": "old", "workload_manager": "slurm", "enabled": False},
    {"name": "other", "workload_manager": "pbs"},
]


def test_a_cluster_is_found_by_its_name() -> None:
    """Just as the registry knows it."""
    assert find_cluster("lemaitre3", _CLUSTERS) is _CLUSTERS[1]


@pytest.mark.parametrize(
    ("name", "message", "remedy"),
    [
        ("lemaitre", "knows no cluster 'lemaitre'", "Did you mean lemaitre3?"),
        ("elsewhere", "knows no cluster 'elsewhere'", "It knows lemaitre3, nic5, old, other"),
        ("old", "old takes no jobs at the moment", "another cluster"),
        ("other", "other is run by 'pbs'", "run by slurm"),
    ],
)
def test_what_cannot_be_used_is_told(name: str, message: str, remedy: str) -> None:
    """Misspelled, closed, or run by something else; with what to do."""
    with pytest.raises(UsageError, match=message) as caught:
        find_cluster(name, _CLUSTERS)
    assert remedy in caught.value.remedy


def test_an_empty_registry_is_told() -> None:
    """Its administrator has something to do first."""
    with pytest.raises(UsageError) as caught:
        find_cluster("nic5", [])
    assert "its administrator adds one" in caught.value.remedy
