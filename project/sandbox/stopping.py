"""The end of everything that runs in a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project.core.errors import SandboxError
from project.sandbox import processes, slurm
from project.sandbox.daemons import environment
from project.sandbox.progress import Progress, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from project.sandbox.layout import Layout
    from project.sandbox.machine import Machine

_ORDER = (
    ("login node, controller and nodes", {"sshd", "slurmctld", "slurmd"}.__contains__, 10.0),
    ("what logins and jobs left", lambda program: program not in {"slurmdbd", "mariadbd", "munged"}, 2.0),
    ("accounting", {"slurmdbd"}.__contains__, 10.0),
    ("database and munge", {"mariadbd", "munged"}.__contains__, 10.0),
)
"""What ends after what, by program, and the seconds it has until it is killed.

Accounting must hear slurmctld out, and the database accounting.
"""


_ROUNDS = 5
"""How often we look again: what is asked to end may start another program before it does (a shell in a loop)."""


def _batch(layout: Layout, is_next: Callable[[str], bool]) -> list[processes.Process]:
    return [process for process in processes.belonging_to(layout) if is_next(process.program)]


def _end_all(layout: Layout, is_next: Callable[[str], bool], patience_s: float) -> None:
    for _ in range(_ROUNDS):
        if not (batch := _batch(layout, is_next)):
            return
        processes.end(batch, patience_s)


def stop(layout: Layout, machine: Machine, progress: Progress) -> bool:
    """End every process of the sandbox, jobs first, and remove its sockets.

    Returns:
        Whether anything was running.

    Raises:
        SandboxError: something does not end, not even when killed.
    """
    owned = processes.belonging_to(layout)
    if any(process.program == "slurmctld" for process in owned):
        with step("jobs cancelled", progress):
            slurm.cancel_jobs(environment(layout, machine))
    for what, is_next, patience_s in _ORDER:
        if _batch(layout, is_next):
            with step(f"{what} stopped", progress):
                _end_all(layout, is_next, patience_s)
    if left := processes.belonging_to(layout):
        raise SandboxError(
            "Some processes of the sandbox do not end: " + ", ".join(f"{p.program} ({p.pid})" for p in left)
        )
    for path in layout.run.glob("*"):
        if not path.is_dir():
            path.unlink(missing_ok=True)
    return bool(owned)
