"""What has come in on a channel, kept in the pieces it came in; paramiko copies each piece twice more."""

from __future__ import annotations

from collections import deque

from paramiko.buffered_pipe import BufferedPipe


class _Chunks:
    """Stands for the array of bytes that paramiko's pipe works with; what is read of it is gone from it at once."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __delitem__(self, _read: slice) -> None:
        """Do nothing: paramiko drops what it has just read."""

    def append(self, chunk: bytes) -> None:
        """Keep one more."""
        self._chunks.append(chunk)
        self._size += len(chunk)

    def take(self, limit: int) -> bytes:
        """Return the first `limit` bytes, or all if there are fewer."""
        taken, missing = [], min(limit, self._size)
        self._size -= missing
        while missing:
            chunk = self._chunks.popleft()
            if len(chunk) > missing:
                self._chunks.appendleft(chunk[missing:])
                chunk = chunk[:missing]
            taken.append(chunk)
            missing -= len(chunk)
        return taken[0] if len(taken) == 1 else b"".join(taken)


class ChunkPipe(BufferedPipe):  # type: ignore[type-arg]  # generic in the stubs alone
    """Does what paramiko's pipe does."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = _Chunks()

    def _buffer_frombytes(self, data: bytes) -> None:
        self._buffer.append(data)

    def _buffer_tobytes(self, limit: int | None = None) -> bytes:
        return self._buffer.take(len(self._buffer) if limit is None else limit)
