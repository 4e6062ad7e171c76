"""How a connection gets to its host: straight, through a jump host, or by a command of the user's."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING

import paramiko

from project.adapters.ssh.dial import Deadline, dial
from project.config import child_environment
from project.core.errors import Unreachable

if TYPE_CHECKING:
    import contextlib

    from project.adapters.ssh.destination import Destination
    from project.adapters.ssh.session import Session

#: How long a proxy command may take to end once its connection is closed.
_END_LIMIT_S = 2.0


def open_route(
    destination: Destination, via: Session | None, deadline: Deadline, resources: contextlib.ExitStack
) -> socket.socket | paramiko.Channel:
    """Return a connection to the SSH port of `destination`; whatever it needs is closed with `resources`.

    Raises:
        Unreachable: there is no way.
    """
    if via:
        line: socket.socket | paramiko.Channel = _through(via, destination, deadline)
    elif destination.proxy_command:
        line = _by_command(destination.proxy_command, resources)
    else:
        line = dial(destination.hostname, destination.port, deadline)
    resources.callback(line.close)
    return line


def _through(via: Session, destination: Destination, deadline: Deadline) -> paramiko.Channel:
    target = (destination.hostname, destination.port)
    try:
        return via.open_channel("direct-tcpip", target, ("127.0.0.1", 0), timeout=deadline.left_s)
    except paramiko.ChannelException as error:
        raise Unreachable(
            f"The jump host cannot reach {destination.hostname} port {destination.port}: {error.text}.",
            "Check the host's name and port as the jump host sees them, and that it forwards (AllowTcpForwarding).",
        ) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Unreachable(
            f"The jump host did not reach {destination.hostname} port {destination.port} "
            f"within {deadline.limit_s:g} s: {error}.",
            "Check the host's name and port as the jump host sees them.",
        ) from error


def _by_command(command: str, resources: contextlib.ExitStack) -> socket.socket:
    """Run ProxyCommand as ssh does, by a shell, on one end of a pair of sockets."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            env=child_environment(),
        )
    resources.callback(_end, process)
    return ours


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
