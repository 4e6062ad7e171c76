"""Ports and sockets of this machine, as the kernel lists them: looking never disturbs the daemon behind."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from project.core.errors import SandboxError

_TCP_LISTEN = "0A"  # st of /proc/net/tcp, from the kernel's net/tcp_states.h
_UNIX_LISTEN = "00010000"  # flags of /proc/net/unix: __SO_ACCEPTCON
_FIRST, _LAST = 20_000, 32_000  # below the ports Linux hands out to clients (ip_local_port_range, from 32768)
_ATTEMPTS = 200


def listening() -> frozenset[str]:
    """What is listened on now: TCP ports as digits, unix sockets as their paths."""
    tcp = {
        str(int(fields[1].rpartition(":")[2], 16))
        for name in ("tcp", "tcp6")
        for fields in _table(name)
        if fields[3] == _TCP_LISTEN
    }
    path_field = 7
    unix = {fields[path_field] for fields in _table("unix") if len(fields) > path_field and fields[3] == _UNIX_LISTEN}
    return frozenset(tcp | unix)


def _table(name: str) -> list[list[str]]:
    try:
        lines = Path("/proc/net", name).read_text(errors="replace").splitlines()
    except FileNotFoundError:  # tcp6 on a machine without IPv6
        return []
    return [line.split() for line in lines[1:]]


def taken(ports: range) -> tuple[int, ...]:
    """Those of `ports` that somebody else holds."""
    return tuple(port for port in ports if not _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the daemons do: TIME_WAIT is no hindrance
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104  never listened on: asks about all addresses at once
        except OSError:
            return False
    return True


def choose(count: int) -> int:
    """The first of `count` consecutive free ports, taken at random so that two callers rarely meet.

    Raises:
        SandboxError: no such row of ports was found.
    """
    for _ in range(_ATTEMPTS):
        base = random.randrange(_FIRST, _LAST - count)  # noqa: S311  nothing secret about it
        if not taken(range(base, base + count)):
            return base
    raise SandboxError(
        f"There are no {count} free ports in a row between {_FIRST} and {_LAST}.", "Name the first port to use."
    )
