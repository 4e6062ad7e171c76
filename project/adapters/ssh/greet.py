"""The SSH handshake within a limit, and what its failures mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import paramiko

from project.adapters.ssh.session import Session
from project.core.errors import Unreachable

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from project.adapters.ssh.dial import Deadline

#: What sshd may say before it drops a connection that it has no room for (MaxStartups, PerSourcePenalties).
_NO_ROOM = re.compile(rb"\A(Exceeded MaxStartups|Not allowed at this time|\s*\Z)")

_BANNER = re.compile(rb"^SSH-", re.MULTILINE)


class Dropped(Unreachable):
    """The server hung up before it said who it is; a moment later it may have room."""


def greet(
    line: socket.socket | paramiko.Channel, where: str, key_types: Sequence[str], deadline: Deadline
) -> Session:
    """Return a session over `line` with keys exchanged: encrypted, but neither side is known yet.

    Raises:
        Dropped: the server has no room for us now.
        Unreachable: nothing is said in time, or not SSH.
    """
    session = Session(line, key_types)
    try:
        session.shake_hands(deadline.left_s)
    except (paramiko.SSHException, EOFError, OSError) as error:
        session.close()
        raise _diagnosis(session.ear.greeting, error, where, deadline).at("banner") from error
    return session


def _diagnosis(greeting: bytes, error: Exception, where: str, deadline: Deadline) -> Unreachable:
    in_time = not deadline.passed
    if _BANNER.search(greeting):
        why = f"the key exchange failed: {error or 'it hung up'}" if in_time else "it fell silent in the key exchange"
        return Unreachable(f"{where} answers as SSH, but {why}.", "Tell the cluster's administrators.")
    if not _NO_ROOM.match(greeting):
        words = greeting.split(b"\n")[0][:80].decode(errors="replace").strip()
        return Unreachable(
            f"{where} answers, but not as SSH (no SSH banner): '{words}'.",
            "Check the port: another service listens there.",
        )
    if in_time:
        return Dropped(
            f"{where} hangs up without an SSH banner.",
            "It is overloaded, or blocks your address for a while: try later.",
        )
    return Unreachable(
        f"{where} takes the connection but is silent: no SSH banner within {deadline.limit_s:g} s.",
        "The login node is overloaded, or something between swallows the traffic: try later.",
    )
