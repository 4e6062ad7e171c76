"""`info`: the whole grid on one screen."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import click

from project.adapters.show.overview import Screen, every_node, nodes_alike, nodes_or_alike, overview
from project.adapters.show.table import screen_width
from project.adapters.terminal import say, say_coloured
from project.bootstrap import make_gateway
from project.options import CLUSTER, output_options
from project.services.listing import list_jobs
from project.services.select_cluster import find_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    """Show clusters, nodes and your jobs that have not ended, as the registry last heard of them.

    A terminal shows what it has room for; nothing is left out of a cluster that is named.
    """
    registry = make_gateway().registry
    clusters = registry.clusters()
    if names:
        clusters = [find_cluster(name, clusters) for name in names]
    active = list_jobs(registry, {"ended": "false"}, _MOST_JOBS)
    if as_json:
        say(json.dumps({"clusters": clusters, "jobs": active.jobs}))
        return
    told = overview(clusters, active.jobs, _screen(unbounded=all_nodes or bool(names)), _ways(all_nodes=all_nodes))
    for line in told.lines:
        say_coloured(line)
    if told.hidden_nodes:
        say("There is no room for the nodes: info CLUSTER, or --nodes", to_stderr=True)
    if active.more or told.hidden_jobs:
        say("There are more jobs: list --active", to_stderr=True)


def _screen(*, unbounded: bool) -> Screen:
    """Return what there is room for: of what was asked for by name nothing is left out."""
    width = screen_width()
    return Screen(width, None if unbounded or width is None else shutil.get_terminal_size().lines)


def _ways(*, all_nodes: bool) -> Sequence[Callable[[dict[str, Any], int | None], list[str]]]:
    return (every_node,) if all_nodes else (nodes_or_alike, nodes_alike)
