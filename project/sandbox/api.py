"""The door to the sandbox: start it, stop it, ask how it is."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import shutil
from typing import TYPE_CHECKING

from project.core.errors import SandboxError
from project.sandbox import preflight, processes, provision, settings, slurm, starting, stopping
from project.sandbox.daemons import daemons, environment, running
from project.sandbox.describe import Condition, SandboxInfo, SandboxStatus, describe
from project.sandbox.layout import Layout
from project.sandbox.machine import this_machine
from project.sandbox.progress import Progress, silent
from project.sandbox.settings import SandboxOptions, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Condition", "Progress", "SandboxInfo", "SandboxOptions", "SandboxStatus", "down", "status", "up"]


def up(folder: Path, *, options: SandboxOptions | None = None, progress: Progress = silent) -> SandboxInfo:
    """Start the sandbox in `folder`, making it the first time; return when its nodes are ready for jobs.

    One that runs already is left alone, but for keys that may log in from now on. One that is half dead is stopped
    and started anew. Whatever goes wrong or interrupts, nothing stays behind running.

    Raises:
        SandboxError: it cannot start; message, remedy and detail say why.
    """
    options = options or SandboxOptions()
    preflight.check_machine()
    layout = Layout.at(folder)
    kept = None if options.fresh else settings.load(layout.settings)
    wanted = settings.resolve(options, kept)
    preflight.check_folder(layout, wanted)
    layout.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(layout):
        if kept and all(_pids(layout, kept).values()):
            return _already_running(layout, kept, wanted)
        recovered = stopping.stop(layout, this_machine(), progress) and not options.fresh
        if options.fresh:
            provision.forget(layout)
        info = starting.start(
            layout, wanted, this_machine(), is_base_port_fixed=bool(options.base_port), progress=progress
        )
        return dataclasses.replace(info, recovered=recovered)


def _already_running(layout: Layout, kept: Settings, wanted: Settings) -> SandboxInfo:
    """Let in whoever is to be let in besides; anything else needs a restart.

    Raises:
        SandboxError: something else is wanted than what runs.
    """
    running_one, wanted_one = dataclasses.asdict(kept), dataclasses.asdict(wanted)
    differences = [
        f"{name} is {running_one[name]}, not {value}"
        for name, value in wanted_one.items()
        if name != "authorized_keys" and value != running_one[name]
    ]
    if differences:
        raise SandboxError(f"The sandbox runs already, and {'; '.join(differences)}.", "Stop it first.")
    settings.save(wanted, layout.settings)
    provision.write_authorized_keys(layout, wanted)
    return dataclasses.replace(describe(layout, wanted, this_machine()), already_running=True)


def down(folder: Path, progress: Progress = silent, *, remove: bool = False) -> bool:
    """Stop the sandbox in `folder`: its jobs are cancelled, its processes end, its sockets go.

    Args:
        folder: where it lies; there need not be one.
        progress: told each step.
        remove: remove the folder, too.

    Returns:
        Whether anything was running.

    Raises:
        SandboxError: something does not end, or the sandbox is somebody else's.
    """
    layout = Layout.at(folder)
    if not settings.are_kept(layout.settings):
        return False
    with _locked(layout):
        was_running = stopping.stop(layout, this_machine(), progress)
        if remove:
            shutil.rmtree(layout.folder)
    return was_running


def status(folder: Path) -> SandboxStatus:
    """How the sandbox in `folder` is; asking changes nothing.

    Raises:
        SandboxError: the folder is somebody else's.
    """
    layout = Layout.at(folder)
    kept = settings.load(layout.settings)
    if kept is None:
        return SandboxStatus(layout.folder, Condition.ABSENT, {}, {}, {}, None)
    machine = this_machine()
    pids = _pids(layout, kept)
    return SandboxStatus(
        folder=layout.folder,
        condition=_condition(pids),
        daemons=pids,
        nodes=slurm.node_states(environment(layout, machine)) if pids["slurmctld"] else {},
        ports=kept.ports,
        info=describe(layout, kept, machine),
    )


def _condition(pids: dict[str, int | None]) -> Condition:
    if all(pids.values()):
        return Condition.RUNNING
    return Condition.HALF_DEAD if any(pids.values()) else Condition.STOPPED


def _pids(layout: Layout, kept: Settings) -> dict[str, int | None]:
    return running(daemons(layout, kept), processes.belonging_to(layout))


@contextlib.contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    """Nobody else starts or stops this sandbox meanwhile.

    Raises:
        SandboxError: somebody else does.
    """
    with layout.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SandboxError(
                f"The sandbox in {layout.folder} is being started or stopped right now.", "Try again in a moment."
            ) from None
        yield
