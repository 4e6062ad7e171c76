"""A gate before a real registry: it lets requests through, or does what networks and proxies do on bad days."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PAUSE_S = 0.05


class Passed(NamedTuple):
    """The registry's answer to a request that got through."""

    status: int
    reason: str
    content: bytes

    @property
    def raw(self) -> bytes:
        """As it goes over the line."""
        head = f"HTTP/1.1 {self.status} {self.reason}\r\nContent-Length: {len(self.content)}\r\n"
        return f"{head}Content-Type: application/json\r\n\r\n".encode() + self.content


class Visit:
    """One request at the gate.

    Args:
        handler: of the request.
        upstream: port of the registry.
    """

    def __init__(self, handler: BaseHTTPRequestHandler, upstream: int) -> None:
        self._handler = handler
        self._upstream = upstream
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))

    def forward(self) -> Passed:
        """Pass the request on and return what the registry says."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._upstream, timeout=60)) as way:
            headers = dict(self._handler.headers.items())
            way.request(str(self._handler.command), self._handler.path, self.body, headers)
            answer = way.getresponse()
            return Passed(answer.status, answer.reason, answer.read())

    def forward_half(self) -> None:
        """Begin to pass the request on, and hang up in the middle of it."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._upstream, timeout=60)) as way:
            way.putrequest(str(self._handler.command), self._handler.path)
            for name, value in self._handler.headers.items():
                way.putheader(name, value)
            way.endheaders(self.body[: len(self.body) // 2])

    def say(self, content: bytes) -> None:
        """Send bytes to who asked."""
        self._handler.wfile.write(content)

    def dawdle(self, content: bytes) -> None:
        """Send bytes one by one, until who asked is gone."""
        for byte in content:
            self.say(bytes([byte]))
            time.sleep(_PAUSE_S)


def refusal(status: str, *headers: str) -> Callable[[Visit], None]:
    """Return a mood: every request is answered so."""
    lines = [f"HTTP/1.1 {status}", *headers, "Content-Length: 5", "", "never"]
    return lambda visit: visit.say("\r\n".join(lines).encode())


def open_gate(visit: Visit) -> None:
    """A mood: everything passes."""
    visit.say(visit.forward().raw)


def narrow(limit_bytes: int) -> Callable[[Visit], None]:
    """Return a mood: requests with larger bodies are refused, as by a proxy."""

    def mood(visit: Visit) -> None:
        (refusal("413 Request Entity Too Large") if len(visit.body) > limit_bytes else open_gate)(visit)

    return mood


#: What can happen to a request, by name.
MOODS: dict[str, Callable[[Visit], None]] = {
    "hangs up": lambda _visit: None,
    "says 500": refusal("500 Internal Server Error"),
    "says 502": refusal("502 Bad Gateway"),
    "says 503": refusal("503 Service Unavailable", "Retry-After: 5"),
    "says 429": refusal("429 Too Many Requests", "Retry-After: 900"),
    "says 401": refusal("401 Unauthorized"),
    "wants a log-in": lambda visit: visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>log in</>"),
    "passes half a request": Visit.forward_half,
    "loses the answer": lambda visit: visit.forward() and None,
    "passes half an answer": lambda visit: visit.say(visit.forward().raw[:-20]),
    "dawdles": lambda visit: visit.dawdle(visit.forward().raw),
}


class MoodyGate:
    """Stands on a port of its own.

    Args:
        upstream: port of the registry.

    Attributes:
        mood: what happens to requests from now on.
        visits: how many requests came.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.mood: Callable[[Visit], None] = open_gate
        self.visits = 0

    @contextlib.contextmanager
    def started(self) -> Iterator[int]:
        """Yield the port."""
        gate = self

        class Handler(BaseHTTPRequestHandler):
            """One connection, one request."""

            def do_POST(self) -> None:
                """Do as the mood is."""
                gate.visits += 1
                self.close_connection = True
                with contextlib.suppress(OSError):
                    gate.mood(Visit(self, gate.upstream))

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
