"""The relay that tests and measurements put between programs."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from typing import TYPE_CHECKING

import pytest

from demo.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

_BIG = bytes(range(256)) * 8192


class _Echo(socketserver.BaseRequestHandler):
    """Says back what it is told, and hangs up when all is told."""

    def handle(self) -> None:
        """Serve one connection."""
        while block := self.request.recv(65536):
            self.request.sendall(block)


@pytest.fixture
def echo() -> Iterator[int]:
    """A server's port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def _told(line: socket.socket, content: bytes) -> bytes:
    """Tell all of it, hang up on that side, and return what comes back until the other side does."""

    def tell() -> None:
        line.sendall(content)
        line.shutdown(socket.SHUT_WR)

    telling = threading.Thread(target=tell)
    telling.start()
    told = b"".join(iter(lambda: line.recv(65536), b""))
    telling.join()
    return told


def test_everything_comes_through_and_back(echo: int) -> None:
    """Megabytes, whole and in order, over several connections at a time; a late one that waits does not keep it."""
    relay = Relay(target=("127.0.0.1", echo), delay_s=0.01)
    with relay.started() as port, contextlib.ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(3)]
        assert [_told(line, _BIG) == _BIG for line in lines[:2]] == [True, True]


def test_answers_are_held_for_the_delay(echo: int) -> None:
    """The answer to the connection and the first words back are each late; blocks follow each other at once."""
    relay = Relay(target=("127.0.0.1", echo), delay_s=0.2)
    with relay.started() as port, socket.create_connection(("127.0.0.1", port)) as line:
        started = time.monotonic()
        assert _told(line, _BIG) == _BIG
        assert time.monotonic() - started >= 0.4


def test_a_proxy_leads_where_it_is_asked_to(echo: int) -> None:
    """CONNECT names the target; every other method gets no answer."""
    proxy = Relay()
    with proxy.started() as port:
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(f"CONNECT 127.0.0.1:{echo} HTTP/1.1\r\n\r\n".encode())
            assert line.recv(100).startswith(b"HTTP/1.1 200 ")
            assert _told(line, b"words") == b"words"
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert line.recv(100) == b""
    assert proxy.asked == [f"127.0.0.1:{echo}"]
