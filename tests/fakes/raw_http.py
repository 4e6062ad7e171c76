"""An HTTP server that answers each request with given bytes, and remembers what it was asked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class RawServer(ThreadingHTTPServer):
    """The server.

    Attributes:
        raw: what it answers.
        asked: every request so far.
    """

    def __init__(self, raw: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.raw = raw
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.asked.append(Asked(self.command, self.path, dict(self.headers), body))
        self.wfile.write(server.raw)
        self.close_connection = True

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(raw: bytes) -> Iterator[RawServer]:
    """Serve until the end of the block."""
    server = RawServer(raw)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def http(status: str, body: bytes = b"", *, length: int | None = None) -> bytes:
    """A whole HTTP answer."""
    said = len(body) if length is None else length
    return f"HTTP/1.0 {status}\r\nContent-Length: {said}\r\n\r\n".encode() + body
