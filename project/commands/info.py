"""`info`: the whole grid on one screen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from project.adapters.show.grid import CLUSTER_COLUMNS, NODE_COLUMNS, nodes, seen
from project.adapters.show.jobs import JOB_COLUMNS
from project.adapters.show.node_groups import NODE_GROUP_COLUMNS, node_groups
from project.adapters.show.table import show
from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.core.printable import one_line
from project.options import CLUSTER, output_options
from project.services.listing import list_jobs
from project.services.select_cluster import find_cluster

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_NODES = 24
_MOST_JOBS = 25


@click.command("info", short_help="Show the whole grid: clusters, nodes, what is used and free.")
@click.argument("names", type=CLUSTER, nargs=-1, metavar="[CLUSTER]...")
@click.option(
    "--nodes",
    "all_nodes",
    is_flag=True,
    help="Every node; else those of a large cluster that are alike share a line.",
)
@output_options()
def command(names: Sequence[str], *, all_nodes: bool, as_json: bool) -> None:
    """Show clusters, nodes and your jobs that have not ended, as the registry last heard of them."""
    registry = make_gateway().registry
    clusters = registry.clusters()
    if names:
        clusters = [find_cluster(name, clusters) for name in names]
    active = list_jobs(registry, {"ended": "false"}, _MOST_JOBS)
    if as_json:
        say(json.dumps({"clusters": clusters, "jobs": active.jobs}))
        return
    show(CLUSTER_COLUMNS, clusters)
    for cluster in clusters:
        _print_nodes(cluster, all_nodes=all_nodes)
    if active.jobs:
        say("")
        show(JOB_COLUMNS, active.jobs)
    if active.more:
        say("There are more: list --active", to_stderr=True)


def _print_nodes(cluster: dict[str, Any], *, all_nodes: bool) -> None:
    """Print each node, or of a large cluster a line for all that are alike."""
    found = nodes(cluster)
    if not found:
        return
    say(f"\n{one_line(cluster['name'])}, as of {seen(cluster)}")
    if all_nodes or len(found) <= _MOST_NODES:
        show(NODE_COLUMNS, found)
    else:
        show(NODE_GROUP_COLUMNS, node_groups(found))
