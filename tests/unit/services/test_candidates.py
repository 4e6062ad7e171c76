"""The clusters a job may go to."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.errors import UsageError
from project.core.job import JobSpec, Resources
from project.services.scout import candidates

_CLUSTERS: list[dict[str, Any]] = [
    {"name": "lemaitre3", "workload_manager": "slurm", "preferred_jobs": ["mpi"]},
    {"name": "nic5", "workload_manager": "slurm", "preferred_jobs": ["serial", "smp"]},
    {"name": "hercules", "workload_manager": "slurm", "preferred_jobs": []},
    {"name": "closed", "workload_manager": "slurm", "preferred_jobs": ["mpi", "serial", "smp"], "enabled": False},
    {"name": "other", "workload_manager": "pbs", "preferred_jobs": ["mpi", "serial", "smp"]},
]


def names(*destination: str, kinds: tuple[str, ...] = (), **resources: Any) -> list[str]:
    """Return the clusters a job with these resources may go to."""
    asked = Resources(**resources)
    spec = JobSpec("jdoe", "j@example.org", destination, ["true"], asked_kinds=kinds, resources=asked)
    return [str(cluster["name"]) for cluster in candidates(spec, _CLUSTERS)]


@pytest.mark.parametrize(
    ("resources", "clusters"),
    [
        ({}, ["nic5", "hercules"]),
        ({"cpus_per_task": 8}, ["nic5", "hercules"]),
        ({"ntasks": 2}, ["lemaitre3", "hercules"]),
        ({"nodes": 2}, ["lemaitre3", "hercules"]),
    ],
)
def test_auto_takes_what_the_resources_make_of_the_job(resources: dict[str, Any], clusters: list[str]) -> None:
    """Several processes are mpi, several threads smp, else serial; a cluster that prefers nothing takes all."""
    assert names("auto", **resources) == clusters


def test_auto_takes_the_kinds_that_were_asked_for() -> None:
    """`preferred_jobs` goes before what the resources say."""
    assert names("auto", kinds=("mpi",)) == ["lemaitre3", "hercules"]


def test_a_list_is_taken_as_it_is() -> None:
    """In the user's order, whatever the clusters prefer, each once."""
    assert names("nic5", "lemaitre3", "nic5", ntasks=4) == ["nic5", "lemaitre3"]


def test_names_that_cannot_be_used_are_told() -> None:
    """As for a single name."""
    with pytest.raises(UsageError, match="closed takes no jobs"):
        names("nic5", "closed")


def test_auto_without_any_cluster_is_told() -> None:
    """The kinds that were looked for are named."""
    spec = JobSpec("jdoe", "j@example.org", ("auto",), ["true"], resources=Resources(ntasks=2))
    with pytest.raises(UsageError, match="takes mpi jobs"):
        candidates(spec, [_CLUSTERS[1]])
