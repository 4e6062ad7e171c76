"""Whether a login node answers as SSH at all: the first bytes are enough, nobody logs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project.adapters.ssh.destination import Hop
from project.adapters.ssh.dial import Deadline, dial
from project.core.errors import Unreachable

if TYPE_CHECKING:
    import socket

    from project.adapters.ssh.ssh_config import SshConfig
    from project.ports import Login

_BANNER = b"SSH-"
_LONGEST_GREETING_BYTES = 8192


def answers(config: SshConfig, login: Login) -> bool:
    """Whether the first host on the way to a login node says that it speaks SSH within the login's limit.

    One that only a ProxyCommand reaches cannot be asked so cheaply; it is taken to answer.
    """
    target = config.resolve(Hop(login.host, login.port, login.username))
    if target.proxy_command:
        return True
    jumps = target.jumps or tuple(Hop.parse_all(login.proxy_jump))
    first = config.resolve(jumps[0]) if jumps else target
    deadline = Deadline(login.timeout_s)
    try:
        with dial(first.hostname, first.port, deadline) as line:
            return _says_ssh(line, deadline)
    except (Unreachable, OSError):
        return False


def _says_ssh(line: socket.socket, deadline: Deadline) -> bool:
    greeting = b""
    while not deadline.passed and len(greeting) < _LONGEST_GREETING_BYTES and _BANNER not in greeting:
        line.settimeout(deadline.left_s)
        said = line.recv(1024)
        if not said:
            return False
        greeting += said
    return _BANNER in greeting
