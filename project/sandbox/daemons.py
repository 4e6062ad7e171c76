"""The daemons of a sandbox: one table of what to run, after what, and where it then listens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.sandbox.machine import PATH, program
from project.sandbox.other_conf import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from project.sandbox.layout import Layout
    from project.sandbox.machine import Machine
    from project.sandbox.processes import Process
    from project.sandbox.settings import Settings


@dataclass(frozen=True)
class Daemon:
    """A program that runs as long as the sandbox does.

    Attributes:
        name: what people call it; also names its log.
        argv: how it is started; it stays in the foreground.
        listens: the TCP port (digits) or the unix socket it listens on once it is ready.
        after: the daemons that must be ready before this one starts.
    """

    name: str
    argv: tuple[str, ...]
    listens: str
    after: tuple[str, ...] = ()

    def is_run_as(self, command: str) -> bool:
        """Whether a process of the sandbox with this command line is this daemon; sshd writes more around its own."""
        return f"{' '.join(self.argv)} " in f"{command} "


def daemons(layout: Layout, settings: Settings) -> tuple[Daemon, ...]:
    """Every daemon of the sandbox, in an order in which they can be started."""
    ports = {daemon: str(port) for daemon, port in settings.ports.items()}
    munged = (
        # --force: munged would refuse a private home directory; who may reach the folder was checked (preflight).
        "munged", "--foreground", "--force", f"--key-file={layout.munge_key}", f"--socket={layout.munge_socket}",
        f"--pid-file={layout.pid_file('munged')}", f"--seed-file={layout.run}/munge.seed",
    )  # fmt: skip
    mariadbd = ("mariadbd", f"--defaults-file={layout.etc}/my.cnf")
    slurmctld = ("slurmctld", "-D", "-i", "-f", str(layout.slurm_conf))
    sshd = (program("sshd") or "sshd", "-D", "-e", "-f", f"{layout.etc}/sshd_config")  # starts itself by full path
    return (
        Daemon("munged", munged, str(layout.munge_socket)),
        Daemon("mariadbd", mariadbd, str(layout.database_socket)),
        Daemon("sshd", sshd, ports["sshd"]),
        Daemon("slurmdbd", ("slurmdbd", "-D"), ports["slurmdbd"], after=("munged", "mariadbd")),
        Daemon("slurmctld", slurmctld, ports["slurmctld"], after=("slurmdbd",)),
        *(
            Daemon(
                f"slurmd {node}",
                ("slurmd", "-D", "-f", str(layout.slurm_conf), "-N", node),
                ports[f"slurmd {node}"],
                after=("slurmctld",),
            )
            for node in settings.node_names
        ),
    )


def environment(layout: Layout, machine: Machine) -> dict[str, str]:
    """The whole environment of Slurm's commands in this sandbox: nothing of the caller's leaks in."""
    return {
        "PATH": PATH,
        "HOME": machine.home,
        "USER": machine.user,
        "LOGNAME": machine.user,
        "LC_ALL": "C.UTF-8",
        "SLURM_CONF": str(layout.slurm_conf),
        **{name: os.environ[name] for name in ("TZ",) if name in os.environ},
    }


def daemon_environment(layout: Layout, machine: Machine) -> dict[str, str]:
    """The daemons' environment: it carries the sandbox's mark, and the database's socket for slurmdbd."""
    return {
        **environment(layout, machine),
        MARK: str(layout.folder),
        "MYSQL_UNIX_PORT": str(layout.database_socket),
    }


def running(table: Iterable[Daemon], processes: Iterable[Process]) -> dict[str, int | None]:
    """For each daemon by name: the pid it runs as, or None."""
    pids = list(processes)
    return {
        daemon.name: next((process.pid for process in pids if daemon.is_run_as(process.command)), None)
        for daemon in table
    }
