"""Ports that are no SSH servers, each in its own way."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def listener(serve: Callable[[socket.socket], object] | None) -> Iterator[int]:
    """Yield a port where each connection is served by `serve` and closed; with None, taken by the kernel alone."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        if serve:
            threading.Thread(target=_serve, args=(listening, serve), daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)  # wakes the thread


def _serve(listening: socket.socket, serve: Callable[[socket.socket], object]) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listening.accept()
            with connection:
                serve(connection)


def mail_server(connection: socket.socket) -> None:
    """Greet as a mail server, and wait."""
    connection.sendall(b"220 mail.example.org ready\r\n")
    connection.recv(1024)
    connection.recv(1024)


def web_server(connection: socket.socket) -> None:
    """Answer what a web server answers to SSH."""
    connection.recv(1024)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def hang_up(connection: socket.socket) -> None:
    """Say nothing and close, as sshd does when it has no room or blocks an address."""
    connection.recv(1)


def forget_after_banner(connection: socket.socket) -> None:
    """Begin as SSH and fall silent."""
    connection.sendall(b"SSH-2.0-Forgetful\r\n")
    while connection.recv(4096):
        pass
