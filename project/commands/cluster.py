"""`cluster`: what administrators do with the registry's clusters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from project.adapters.show.scan import NODE_CLASS_COLUMNS, PARTITION_COLUMNS
from project.adapters.show.table import show
from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import make_gateway
from project.core.cluster import FIELDS, description
from project.core.errors import UsageError
from project.core.slurm.nodes import node_classes
from project.options import CLUSTER, behaviour_options, login_options, output_options
from project.services.select_cluster import find_cluster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from project.bootstrap import Gateway
    from project.services.enrol import Scan

_KEYS = click.argument("keys", nargs=-1, metavar="[KEY=VALUE]...")


@click.group("cluster", short_help="Add, edit, drain and remove clusters (administrators).")
def command() -> None:
    """Add, edit, drain and remove clusters; for the registry's administrators."""


@command.command("add")
@click.argument("host")
@_KEYS
@login_options()
def add(
    host: str, keys: Sequence[str], *, settings: Sequence[str], assume_yes: bool, no_input: bool, as_json: bool
) -> None:
    """Log in to HOST, look at it, and add it to the registry as it was seen.

    A host key that nobody knows is shown for you to confirm; then what Slurm tells of partitions, limits and nodes.
    KEY=VALUE says what a look cannot: name=nic5 port=2222 'preferred_jobs=[mpi, smp]' 'job_root=$SCRATCH'.
    """
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    given = {"hostname": host, **settings_alone(keys)}
    who = gateway.who_there(str(given.get("name", "")), settings_alone(settings))
    scan = gateway.enroller().scan(given, who)
    name = str(scan.document["name"])
    if any(cluster["name"] == name for cluster in gateway.registry.clusters()):
        raise UsageError(f"there is a cluster {name}", remedy="`cluster edit` changes it; or add this one as name=…")
    if not as_json:
        _print(scan)
    if not gateway.prompter.confirm(f"Add {name} to the registry?"):
        raise UsageError("nothing was added", remedy="Say what it should be: KEY=VALUE")
    gateway.registry.save_cluster(scan.document)
    gateway.registry.put_status(name, scan.status)
    say(json.dumps(scan.document) if as_json else f"{name}: added; `doctor {name}` looks at all that jobs need there")


@command.command("edit")
@click.argument("name", type=CLUSTER)
@_KEYS
@output_options()
def edit(name: str, keys: Sequence[str], *, as_json: bool) -> None:
    """Change what the registry says of the cluster NAME; without KEY=VALUE show it."""
    gateway = make_gateway()
    _change(gateway, name, settings_alone(keys))
    document = description(_known(gateway, name))
    if as_json:
        say(json.dumps(document))
        return
    for key in FIELDS:
        say(f"{key:<17} {json.dumps(document[key])}")


@command.command("drain")
@click.argument("name", type=CLUSTER)
@output_options()
def drain(name: str, *, as_json: bool) -> None:
    """Let no new job go to the cluster NAME; those that are there go on."""
    _open(name, enabled=False, as_json=as_json)


@command.command("resume")
@click.argument("name", type=CLUSTER)
@output_options()
def resume(name: str, *, as_json: bool) -> None:
    """Let jobs go to the cluster NAME again."""
    _open(name, enabled=True, as_json=as_json)


def _open(name: str, *, enabled: bool, as_json: bool) -> None:
    _change(make_gateway(), name, {"enabled": enabled})
    told = f"{name} takes jobs" if enabled else f"{name} takes no new jobs; those that are there go on"
    say(json.dumps({"name": name, "enabled": enabled}) if as_json else told)


@command.command("remove")
@click.argument("name", type=CLUSTER)
@behaviour_options()
def remove(name: str, *, assume_yes: bool, no_input: bool, as_json: bool) -> None:
    """Forget the cluster NAME; jobs that are there go on and report."""
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    _known(gateway, name)
    is_removed = gateway.prompter.confirm(f"Remove {name} from the registry?")
    if is_removed:
        gateway.registry.remove_cluster(name)
    told = f"{name} is removed" if is_removed else f"{name} stays"
    say(json.dumps({"name": name, "removed": is_removed}) if as_json else told)


def _known(gateway: Gateway, name: str) -> dict[str, Any]:
    """Return a cluster's document, whether it takes jobs or not (UsageError if there is none)."""
    clusters = gateway.registry.clusters()
    found = next((cluster for cluster in clusters if cluster["name"] == name), None)
    return found or find_cluster(name, clusters)


def _change(gateway: Gateway, name: str, given: dict[str, Any]) -> None:
    _known(gateway, name)
    if given:
        gateway.registry.save_cluster({**given, "name": name})


def _print(scan: Scan) -> None:
    document, limits = scan.document, scan.limits
    for key in ("name", "hostname", "port", "partition", "preferred_jobs", "job_root", "host_keys"):
        say(f"{key:<15} {document[key] if isinstance(document[key], str) else json.dumps(document[key])}")
    say(
        f"{'limits':<15} {limits['array_tasks']} tasks an array, {limits['queued_tasks']} in the queue for one user\n"
    )
    show(PARTITION_COLUMNS, scan.partitions)
    say("")
    show(NODE_CLASS_COLUMNS, node_classes(scan.status.get("nodes") or []))
