"""`sandbox`: a real one-machine Slurm in a folder, for trying a job file before it queues on a big machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.core.errors import GridferryError
from project.sandbox import api

if TYPE_CHECKING:
    from project.sandbox.describe import SandboxInfo, SandboxStatus

_FOLDER = click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group("sandbox", short_help="A real one-machine Slurm in a folder, to try things.")
def command() -> None:
    """A real Slurm in one folder: controller, accounting, four compute nodes and an SSH login, as yourself.

    DIR is where everything lies; ~/.local/share/gridferry/sandbox unless said.
    """


@command.command("up")
@_FOLDER
@click.option("--name", help="The cluster's name  [default: sandbox]")
@click.option("--port", "base_port", type=int, help="First of its ports  [default: free ones, kept]")
@click.option("--nodes", type=int, help="Compute nodes  [default: 4]")
@click.option("--cpus", type=int, help="Pretended CPUs of each node  [default: 64]")
@click.option("--memory-mib", type=int, help="Pretended memory of each node  [default: 262144]")
@click.option(
    "--slurm-line",
    "slurm_lines",
    multiple=True,
    metavar="LINE",
    help="A line for slurm.conf, such as AccountingStorageEnforce=limits; may be given several times.",
)
@click.option("--fresh", is_flag=True, help="Forget what DIR keeps: settings, keys, accounting.")
@_JSON
def up(folder: Path | None, *, as_json: bool, slurm_lines: tuple[str, ...], **options: Any) -> None:
    """Start it; on a second call say how to use it. It registers itself as a cluster where the token may."""
    wanted = api.SandboxOptions(slurm_lines=slurm_lines or None, **options)
    info = api.up(_folder(folder), options=wanted, progress=_show_step)
    registered = _register(info)
    if as_json:
        say(json.dumps({"registered": registered, "key": str(info.ssh_key), **info.cluster_document()}))
        return
    say(f"{info.name} {'was already running' if info.already_running else 'is running'} in {info.folder}")
    say(f"  log in:     {info.ssh_command()}")
    say(f"  job files:  destination_cluster: {info.name}")
    say(f"              username: {info.ssh_user}")
    say(f"              private_key: {info.ssh_key}")
    say(f"  registry:   {registered}")


@command.command("down")
@_FOLDER
@click.option("--remove", is_flag=True, help="Remove the folder, too.")
@_JSON
def down(folder: Path | None, *, remove: bool, as_json: bool) -> None:
    """Stop it: cancel its jobs, end its processes."""
    was_running = api.down(_folder(folder), _show_step, remove=remove)
    told = "stopped" if was_running else "nothing was running"
    say(json.dumps({"was_running": was_running}) if as_json else told)


@command.command("status")
@_FOLDER
@_JSON
def status(folder: Path | None, *, as_json: bool) -> None:
    """Say how it is: daemons, nodes, ports."""
    found = api.status(_folder(folder))
    if as_json:
        names = ("condition", "daemons", "nodes", "ports")
        say(json.dumps({name: getattr(found, name) for name in names}))
        return
    _print_status(found)


def _print_status(found: SandboxStatus) -> None:
    say(f"{found.condition}  {found.folder}")
    for name, pid in found.daemons.items():
        port = f"port {found.ports[name]}" if name in found.ports else ""
        say(f"  {name:<20} {f'pid {pid}' if pid else 'not running':<14} {port}")
    for name, state in found.nodes.items():
        say(f"  node {name:<15} {state}")
    if found.info is not None and any(found.daemons.values()):
        say(f"  log in: {found.info.ssh_command()}")


def _folder(given: Path | None) -> Path:
    return given or make_gateway().settings.home / "sandbox"


def _show_step(step: str, seconds: float) -> None:
    say(f"{seconds:7.2f}s  {step}", to_stderr=True)


def _register(info: SandboxInfo) -> str:
    """Add it to the registry and to the host keys trusted here; say how that went."""
    gateway = make_gateway()
    gateway.remember_host(info.ssh_host, info.ssh_port, info.host_keys)
    if not gateway.settings.token:
        command = f"python -m api_srv cluster add {info.folder / 'cluster.json'}"
        return f"no token, so it is not registered; an administrator can: {command}"
    try:
        gateway.registry.save_cluster(info.cluster_document())
    except GridferryError as error:
        return f"not registered: {error.message}"
    return f"registered with {gateway.settings.registry}"
