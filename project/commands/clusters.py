"""`clusters`: all clusters, how they are and since when that is known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from project.adapters.show.grid import CLUSTER_COLUMNS, TROUBLE_COLUMNS, troubled
from project.adapters.show.table import show
from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import make_gateway
from project.options import login_options

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("clusters", short_help="List the clusters and what is wrong with their nodes; --refresh asks them.")
@click.option("--refresh", is_flag=True, help="Ask those you can log in to without a question; tell the registry.")
@login_options()
def command(*, refresh: bool, settings: Sequence[str], assume_yes: bool, no_input: bool, as_json: bool) -> None:
    """List the clusters as the registry last heard of them, and every node that is down, drained or failing."""
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    clusters = gateway.registry.clusters()
    if refresh:
        given = settings_alone(settings)
        troubles = gateway.refresher().refresh(clusters, lambda name: gateway.who_there(name, given))
        for name, trouble in troubles.items():
            say(f"{name}: {trouble}", to_stderr=True)
        clusters = gateway.registry.clusters()
    if as_json:
        say(json.dumps(clusters))
        return
    show(CLUSTER_COLUMNS, clusters)
    found = [node for cluster in clusters for node in troubled(cluster)]
    if found:
        say("")
        show(TROUBLE_COLUMNS, found)
