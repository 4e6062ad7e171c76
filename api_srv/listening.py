"""Whether the registry can listen where its settings say, found out before the server starts its workers."""

from __future__ import annotations

import errno
import socket

from api_srv.errors import SettingsInvalid

_REASONS = {
    errno.EADDRINUSE: ("something listens there already", "Stop it, or choose another port with --port."),
    errno.EACCES: ("ports below 1024 are the administrator's", "Choose a higher one with --port."),
    errno.EADDRNOTAVAIL: ("this machine has no such address", "Correct --host; 0.0.0.0 stands for all addresses."),
}


def check_address(host: str, port: int) -> None:
    """Check that a socket can be bound there; port 0 stands for a free one.

    Raises:
        SettingsInvalid: it cannot; says why and what to do.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        why, remedy = _REASONS.get(error.errno or 0, (str(error), "Correct --host or --port."))
        raise SettingsInvalid(f"the registry cannot listen on {host} port {port}: {why}", remedy) from error
