"""The whole grid on one screen: clusters, their nodes as far as there is room, and jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from project.adapters.show.grid import CLUSTER_COLUMNS, NODE_COLUMNS, nodes, seen
from project.adapters.show.jobs import JOB_COLUMNS
from project.adapters.show.node_groups import NODE_GROUP_COLUMNS, node_groups
from project.adapters.show.table import render
from project.core.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Cluster = dict[str, Any]
_MOST_NODES = 24
_FEWEST_JOBS = 5
#: The line where the cursor stands, and a hint.
_OTHER_LINES = 2


class Screen(NamedTuple):
    """What there is room for.

    Attributes:
        width: in characters; None where nothing is cut.
        height: in lines; None where there is no end.
    """

    width: int | None
    height: int | None = None


class Overview(NamedTuple):
    """What is shown.

    Attributes:
        lines: of it.
        hidden_nodes: whether there was no room for nodes.
        hidden_jobs: whether there was no room for some jobs.
    """

    lines: list[str]
    hidden_nodes: bool
    hidden_jobs: bool


def every_node(cluster: Cluster, width: int | None) -> list[str]:
    """Return a line for each node."""
    return _headed(cluster, render(NODE_COLUMNS, nodes(cluster), width))


def nodes_alike(cluster: Cluster, width: int | None) -> list[str]:
    """Return a line for all nodes that are alike."""
    return _headed(cluster, render(NODE_GROUP_COLUMNS, node_groups(nodes(cluster)), width))


def nodes_or_alike(cluster: Cluster, width: int | None) -> list[str]:
    """Return each node of a small cluster, those of a large one by kind."""
    return (every_node if len(nodes(cluster)) <= _MOST_NODES else nodes_alike)(cluster, width)


def overview(
    clusters: Sequence[Cluster],
    jobs: Sequence[dict[str, Any]],
    screen: Screen,
    ways: Sequence[Callable[[Cluster, int | None], list[str]]] = (nodes_or_alike, nodes_alike),
) -> Overview:
    """Show a grid.

    Args:
        clusters: of it.
        jobs: that have not ended.
        screen: the first way that fits it is taken, and none where none does.
        ways: to show the nodes of a cluster, the most telling first.
    """
    lines = render(CLUSTER_COLUMNS, clusters, screen.width)
    with_nodes = [cluster for cluster in clusters if nodes(cluster)]
    rows = render(JOB_COLUMNS, jobs, screen.width)
    fewest = min(len(jobs), _FEWEST_JOBS) + 2 if jobs else 0
    details: list[str] = []
    for way in ways:
        told = [line for cluster in with_nodes for line in way(cluster, screen.width)]
        if screen.height is None or len(lines) + len(told) + fewest + _OTHER_LINES <= screen.height:
            details = told
            break
    lines += details
    most = len(jobs) if screen.height is None else max(_FEWEST_JOBS, screen.height - len(lines) - 2 - _OTHER_LINES)
    if jobs:
        lines += ["", *rows[: 1 + most]]
    return Overview(lines, hidden_nodes=bool(with_nodes) and not details, hidden_jobs=len(jobs) > most)


def _headed(cluster: Cluster, table: list[str]) -> list[str]:
    return ["", f"{one_line(cluster['name'])}, as of {seen(cluster)}", *table]
