"""A gate before a login node's SSH port: it cuts connections, refuses them, or lets nothing through for a while."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 1024
#: SO_LINGER with no time: closing then resets the connection, as a firewall does that has forgotten it.
_RESET = struct.pack("ii", 1, 0)


class Gate:
    """Passes connections on to a port of this machine, as long as it is let.

    Args:
        upstream: that port.

    Attributes:
        port: where it listens.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._passing = threading.Event()
        self._passing.set()
        self._refuses = False
        self._limits: deque[int] = deque()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def open(self) -> Iterator[Gate]:
        """Serve until the end of the block."""
        threading.Thread(target=self._serve, daemon=True).start()
        try:
            yield self
        finally:
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes the thread
            self._listening.close()
            self.cut()

    def cut(self) -> None:
        """Reset every connection there is."""
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            _reset(end)

    def cut_next_after(self, sent_bytes: int) -> None:
        """Reset the next connection once its client has sent so much."""
        self._limits.append(sent_bytes)

    def refuse(self, *, refuses: bool) -> None:
        """Reset each new connection at once, or take them again."""
        self._refuses = refuses

    def hold(self, *, holds: bool) -> None:
        """Keep back whatever either side sends, or pass it on again."""
        (self._passing.clear if holds else self._passing.set)()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self._refuses:
                    _reset(client)
                else:
                    self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream))
        except OSError:
            _reset(client)
            return
        limit = self._limits.popleft() if self._limits else None
        with self._lock:
            self._open |= {client, server}
        for source, target, most in ((client, server, limit), (server, client, None)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pump, args=(source, target, most), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        """Pass on what comes, until it ends or there was too much of it."""
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                self._passing.wait()
                passed += len(data)
                if most is not None and passed > most:
                    _reset(source)
                    break
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source}
        source.close()


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        end.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for it
    with contextlib.suppress(OSError):
        end.close()
