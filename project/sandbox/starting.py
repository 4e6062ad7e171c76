"""From a folder, or none, to a running sandbox."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from project.core.errors import SandboxError
from project.sandbox import launch, provision, settings, slurm, sockets, stopping
from project.sandbox.daemons import daemon_environment, daemons, environment
from project.sandbox.describe import SandboxInfo, describe, write_cluster_document
from project.sandbox.progress import Progress, step

if TYPE_CHECKING:
    from project.sandbox.layout import Layout
    from project.sandbox.machine import Machine
    from project.sandbox.settings import Settings

_NODES_PATIENCE_S = 60.0


def start(
    layout: Layout, wanted: Settings, machine: Machine, *, is_base_port_fixed: bool, progress: Progress
) -> SandboxInfo:
    """Start a sandbox none of which runs; when that fails or is interrupted, none of it runs again.

    Args:
        layout: where.
        wanted: what; its ports may be replaced by free ones, unless
        is_base_port_fixed: somebody asked for just these.
        machine: on what, and as whom.
        progress: told each step.

    Raises:
        SandboxError: it does not start.
    """
    final = _with_free_ports(wanted, is_base_port_fixed=is_base_port_fixed)
    try:
        _start(layout, final, machine, progress)
    except BaseException:
        stopping.stop(layout, machine, progress)
        raise
    info = describe(layout, final, machine)
    write_cluster_document(layout, info)
    return info


def _start(layout: Layout, final: Settings, machine: Machine, progress: Progress) -> None:
    slurm_environment = environment(layout, machine)
    with step("files written", progress):
        layout.folder.chmod(0o700)
        settings.save(final, layout.settings)
        provision.write_files(layout, final, machine)
    is_first = not layout.accounting_made.exists()
    if is_first:
        with step("database made", progress):
            provision.make_database(layout, machine)
    launch.start(daemons(layout, final), layout, daemon_environment(layout, machine), progress)
    if is_first:
        with step("account added", progress):
            slurm.add_user(machine.user, slurm_environment)
            layout.accounting_made.touch()
    with step("nodes ready", progress):
        slurm.wait_for_nodes(slurm_environment, _NODES_PATIENCE_S)


def _with_free_ports(wanted: Settings, *, is_base_port_fixed: bool) -> Settings:
    ports = range(wanted.base_port, wanted.base_port + len(wanted.ports))
    taken = sockets.taken(ports) if wanted.base_port else tuple(ports)
    if not taken:
        return wanted
    if is_base_port_fixed:
        raise SandboxError(
            f"In use by somebody else: port {', '.join(map(str, taken))}.",
            f"Name another first port ({len(ports)} in a row are needed), or leave the choice to the sandbox.",
        )
    return dataclasses.replace(wanted, base_port=sockets.choose(len(ports)))
