"""Finds the cluster a job names among those the registry knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.engines import require_engine
from project.core.errors import UsageError
from project.core.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

Cluster = dict[str, Any]


def find_cluster(name: str, clusters: Sequence[Cluster]) -> Cluster:
    """Return the cluster with this name.

    Raises:
        UsageError: there is none, it takes no jobs now, or its workload manager is not known.
    """
    by_name = {str(cluster["name"]): cluster for cluster in clusters}
    cluster = by_name.get(name)
    if cluster is None:
        raise UsageError(f"the registry knows no cluster {name!r}", remedy=_remedy(name, sorted(by_name)))
    if not cluster.get("enabled", True):
        raise UsageError(
            f"{name} takes no jobs at the moment", remedy="Choose another cluster, or ask its administrator"
        )
    require_engine(str(cluster.get("workload_manager", "")), name)
    return cluster


def _remedy(name: str, known: list[str]) -> str:
    if not known:
        return "It knows no cluster at all yet; its administrator adds one with `python -m api_srv cluster add`"
    likely = nearest(name, known)
    return f"Did you mean {likely}?" if likely else f"It knows {', '.join(known)}"
