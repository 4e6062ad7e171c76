"""What is uploaded: bytes at hand or a local file, known by its hash before the first byte leaves."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO

from project.core.errors import TransferFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A multiple of this is hashed at a time; hashlib lets other threads run meanwhile.
_HASH_BLOCK_BYTES = 1024 * 1024


class Source:
    """A content that must not change while it is read.

    Args:
        content: bytes, or the path of a file.

    Attributes:
        name: how messages call it.
        size: in bytes.
        sha256: in hexadecimal.

    Raises:
        TransferFailed: the file cannot be read.
    """

    def __init__(self, content: Path | bytes) -> None:
        self.name = "the data" if isinstance(content, bytes) else str(content)
        try:
            self._file: BinaryIO = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
            self.sha256 = hashlib.file_digest(self._file, "sha256").hexdigest()
        except OSError as error:
            raise self._unreadable(error) from error
        self.size = self._file.seek(0, io.SEEK_END)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def sha256_of_first(self, size: int) -> str:
        """Return the hash of the first `size` bytes."""
        digest = hashlib.sha256()
        for block in self._read(0, size, _HASH_BLOCK_BYTES):
            digest.update(block)
        return digest.hexdigest()

    def blocks(self, offset: int, block_bytes: int) -> Iterator[bytes]:
        """Yield the content from `offset` on.

        Raises:
            TransferFailed: at the end, if it is not what it was in the beginning.
        """
        digest = hashlib.sha256()
        for block in self._read(0, offset, _HASH_BLOCK_BYTES):
            digest.update(block)
        for block in self._read(offset, self.size, block_bytes):
            digest.update(block)
            yield block
        if digest.hexdigest() != self.sha256 or self._block(self.size, 1):
            raise TransferFailed(
                f"{self.name} changed while it was sent.", "Send it again once nothing writes to it any more."
            )

    def _read(self, start: int, end: int, block_bytes: int) -> Iterator[bytes]:
        while start < end and (block := self._block(start, min(block_bytes, end - start))):
            start += len(block)
            yield block

    def _block(self, start: int, length: int) -> bytes:
        try:
            self._file.seek(start)
            return self._file.read(length)
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> TransferFailed:
        return TransferFailed(f"{self.name} cannot be read: {error.strerror}.", "Check the file on this machine.")
