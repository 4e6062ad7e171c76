"""Which processes belong to a sandbox, proven by /proc; and their end.

Nothing is taken from pid files: a pid may have been given to somebody else since. A process belongs to the sandbox in
`folder` when one of these holds, and it sees the same file system as we do:

* its environment carries the sandbox's mark (set by us for the daemons, by sshd for logins, inherited from there);
* its environment is a job's on a compute node: slurmstepd set SLURMD_NODENAME, and SLURM_CONF to the sandbox's;
* it is one of the sandbox's daemons by name, and its arguments or open files lie in the folder
  (sshd and slurmstepd overwrite their own environment);
* it descends from such a process.

So neither an editor open on a log nor a shell with SLURM_CONF exported is ever touched. Neither is the caller nor its
ancestors, and zombies do not count: they have ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from project.sandbox.other_conf import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from project.sandbox.layout import Layout

DAEMONS = frozenset(
    {"munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "slurmstepd", "sshd", "sshd-session", "sshd-auth"}
)
_POLL_S = 0.02
_KILL_TAKES_S = 5.0


@dataclass(frozen=True)
class Process:
    """A process that has not ended.

    Attributes:
        pid: its number.
        parent: its parent's number.
        started: when it started, in clock ticks since boot; with the pid this names it for good.
        program: the name of its program as the kernel keeps it (at most 15 characters).
        command: its arguments joined by spaces; daemons may put a title here instead.
    """

    pid: int
    parent: int
    started: int
    program: str
    command: str


def belonging_to(layout: Layout) -> tuple[Process, ...]:
    """Every process that provably belongs to the sandbox, without the caller and its ancestors."""
    everyone = {process.pid: process for process in map(find, _pids()) if process}
    owned = {pid for pid, process in everyone.items() if _is_proven(process, layout)}
    while more := {pid for pid, process in everyone.items() if process.parent in owned} - owned:
        owned |= more
    return tuple(everyone[pid] for pid in sorted(owned - _ancestry(everyone)))


def find(pid: int) -> Process | None:
    """The process with this number; None when there is none, or only a zombie."""
    try:
        before, _, after = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = after.split()  # proc(5): state is the 3rd field of the line, ppid the 4th, starttime the 22nd
    if fields[0] in {"Z", "X"}:
        return None
    return Process(
        pid=pid,
        parent=int(fields[1]),
        started=int(fields[19]),
        program=before.partition("(")[2],
        command=command.replace(b"\0", b" ").decode(errors="replace").strip(),
    )


def is_alive(process: Process) -> bool:
    """Whether this very process still runs."""
    now = find(process.pid)
    return now is not None and now.started == process.started


def end(processes: Iterable[Process], patience_s: float) -> None:
    """Ask the processes to end, and kill those that have not after `patience_s`."""
    asked = list(processes)
    for number, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, _KILL_TAKES_S)):
        _signal(asked, number)
        deadline = time.monotonic() + wait_s
        while any(map(is_alive, asked)) and time.monotonic() < deadline:
            time.sleep(_POLL_S)


def _signal(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in filter(is_alive, processes):
        with contextlib.suppress(ProcessLookupError):  # ended between two lines
            os.kill(process.pid, number)


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _ancestry(everyone: Mapping[int, Process]) -> set[int]:
    """The caller and everything above it."""
    pids, pid = set(), os.getpid()
    while pid in everyone:
        pids.add(pid)
        pid = everyone[pid].parent
    return pids


def _is_proven(process: Process, layout: Layout) -> bool:
    proc = Path(f"/proc/{process.pid}")
    try:
        if (proc / "ns/mnt").readlink() != Path("/proc/self/ns/mnt").readlink():  # a container: other folders
            return False
        return _is_marked(_environment(proc), layout) or (
            process.program in DAEMONS and _is_daemon(process, proc, layout)
        )
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # gone, or somebody else's
        return False


def _environment(proc: Path) -> set[str]:
    return set((proc / "environ").read_bytes().decode(errors="replace").split("\0"))


def _is_marked(environment: set[str], layout: Layout) -> bool:
    if f"{MARK}={layout.folder}" in environment:
        return True
    is_job = any(variable.startswith("SLURMD_NODENAME=") for variable in environment)
    return is_job and f"SLURM_CONF={layout.slurm_conf}" in environment


def _is_daemon(process: Process, proc: Path, layout: Layout) -> bool:
    inside = f"{layout.folder}/"
    if inside in process.command:
        return True
    return any(str(descriptor.readlink()).startswith(inside) for descriptor in (proc / "fd").iterdir())
