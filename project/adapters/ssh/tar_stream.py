"""Reads an archive that a login node sends, as it comes: whatever it sends, little of it is in memory at a time."""

from __future__ import annotations

import os
import tarfile
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A larger file than any that was asked for is not read to its end.
_LARGEST_BYTES = 64 * 1024 * 1024
_COPY_BYTES = 64 * 1024
#: What may come besides a file's content: headers, a name of any length, padding, what is read ahead.
_BESIDES_BYTES = 1024 * 1024
#: What tarfile raises for what is no archive; the documentation promises only the last.
_NO_ARCHIVE = (ValueError, OverflowError, EOFError, LookupError, tarfile.TarError)


class _Blocks:
    """What tarfile reads from: the next block, whatever was asked for; nothing once too much came for one file.

    Args:
        blocks: as they come.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.allowed_bytes = 0

    def read(self, _size: int) -> bytes:
        """Return the next block, b"" at the end."""
        block = next(self._blocks, b"") if self.allowed_bytes > 0 else b""
        self.allowed_bytes -= len(block)
        return block


def members(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of every file in an archive; its end is where it is none any more."""
    stream = _Blocks(blocks)
    stream.allowed_bytes = _BESIDES_BYTES
    try:
        with tarfile.open(
            fileobj=cast("IO[bytes]", stream), mode="r|", bufsize=_COPY_BYTES, encoding="utf-8"
        ) as archive:
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined] # it remembers every one; the stubs leave it out
                if not 0 <= member.size <= _LARGEST_BYTES:
                    return
                stream.allowed_bytes = member.size + _BESIDES_BYTES
                content = archive.extractfile(member) if member.isreg() else None
                if content is not None:
                    yield os.fsencode(member.name), content.read()
    except _NO_ARCHIVE:
        return
