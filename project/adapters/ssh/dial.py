"""From a host name to a connected socket, within a limit, with the four ways to fail told apart."""

from __future__ import annotations

import queue
import socket
import threading
import time
from typing import Any

from project.core.errors import Unreachable

_Address = tuple[socket.AddressFamily, Any]

#: Small packets leave at once (saves 44 ms a command), and the kernel notices a dead line within a minute.
_SOCKET_OPTIONS = (
    (socket.IPPROTO_TCP, "TCP_NODELAY", 1),
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 15),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 15),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 45_000),  # milliseconds
)


#: Of a large file so much is there at a time.
_AHEAD_BYTES = 256 * 1024


class _PromptSocket(socket.socket):
    """Acknowledges what it receives at once.

    sshd sends its answers in small packets with Nagle's algorithm on, so each waits until the one before is
    acknowledged, which Linux puts off for 40 ms unless it is told, again and again, not to (tcp(7), TCP_QUICKACK).
    paramiko asks for a packet in two parts; all that has come is taken from the kernel at once.
    """

    _ahead = memoryview(b"")

    def recv(self, size: int, flags: int = 0) -> bytes:
        if not self._ahead:
            self._ahead = memoryview(super().recv(max(size, _AHEAD_BYTES), flags))
            if hasattr(socket, "TCP_QUICKACK"):
                self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        data, self._ahead = bytes(self._ahead[:size]), self._ahead[size:]
        return data


class Deadline:
    """A point in time after which waiting ends.

    Args:
        limit_s: seconds from now.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._end = time.monotonic() + limit_s

    @property
    def left_s(self) -> float:
        """Seconds left; never zero or less, which sockets would take for "do not wait" or an error."""
        return max(self._end - time.monotonic(), 0.001)

    @property
    def passed(self) -> bool:
        """Whether time is up."""
        return time.monotonic() >= self._end


def dial(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a TCP connection to the first address of `host` that answers.

    Raises:
        Unreachable: the name does not resolve, the port is closed, or nothing answers in time.
    """
    addresses = _addresses(host, port, deadline)
    failures: list[OSError] = []
    for number, address in enumerate(addresses):
        try:
            return _connect(address, deadline.left_s / (len(addresses) - number))
        except OSError as error:
            failures.append(error)
    raise _why(f"{host} port {port}", failures, deadline)


def _connect(address: _Address, limit_s: float) -> socket.socket:
    family, where = address
    sock = _PromptSocket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(limit_s)
        sock.connect(where)
        for level, option, value in _SOCKET_OPTIONS:
            if hasattr(socket, option):  # some kernels have not all of them
                sock.setsockopt(level, getattr(socket, option), value)
    except BaseException:
        sock.close()
        raise
    return sock


def _why(where: str, failures: list[OSError], deadline: Deadline) -> Unreachable:
    if any(isinstance(failure, ConnectionRefusedError) for failure in failures):
        return Unreachable(
            f"{where} refuses connections: nothing listens there.",
            "Check the host and port; if they are right, the login node's SSH service is down.",
        ).at("port")
    if any(isinstance(failure, TimeoutError) for failure in failures):
        return Unreachable(
            f"{where} is silent: no answer within {deadline.limit_s:g} s.",
            "Check your network or VPN; a firewall may drop what you send.",
        ).at("port")
    return Unreachable(f"{where} cannot be reached: {failures[0].strerror}.", "Check your network or VPN.").at("port")


def _addresses(host: str, port: int, deadline: Deadline) -> list[_Address]:
    try:
        return _resolve(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        return _look_up(host, port, deadline)


def _resolve(host: str, port: int, flags: int = 0) -> list[_Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, where) for family, _type, _protocol, _name, where in found]


def _look_up(host: str, port: int, deadline: Deadline) -> list[_Address]:
    """Resolve in a thread of its own: the resolver knows no limit, and a dead name server costs it half a minute."""
    answers: queue.SimpleQueue[list[_Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_resolve(host, port))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name=f"resolve {host}").start()
    try:
        answer = answers.get(timeout=deadline.left_s)
    except queue.Empty:
        answer = TimeoutError(0, f"no name server answered within {deadline.limit_s:g} s")
    if isinstance(answer, list):
        return answer
    raise Unreachable(
        f"The name {host} cannot be resolved: {answer.strerror}.", "Check the spelling, your network or VPN."
    ).at("name")
