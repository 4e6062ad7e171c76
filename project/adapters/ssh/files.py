"""What both ways to move files have in common: SFTP, and streams through a shell where SFTP is missing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol, TypeVar

from project.core.errors import TransferFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from project.adapters.ssh.source import Source


#: Of a file so large it is looked first whether it is there already and whether there is room for it.
LARGE_BYTES = 1024 * 1024


class NotThere(Exception):
    """There is no such file, or no such directory, under the path as this way of moving files understands it."""


class Tell(Protocol):
    """Is told how many bytes of a file are through."""

    def __call__(self, done: int, /) -> None:
        """Take note."""


class Files(Protocol):
    """Moves files; paths are bytes, as the far side's file system knows them.

    All methods raise `NotThere`, `TransferFailed`, and `OSError` or `EOFError` when the connection breaks.
    """

    def put(self, source: Source, target: bytes, mode: int, tell: Tell) -> None:
        """Upload to `part_of(target, source)`, going on from what is there, then rename."""

    def fetch(self, path: bytes, start: int, size: int) -> Iterator[bytes | memoryview]:
        """Yield a file of `size` bytes from `start` on; it is an error if the file is longer."""

    def head(self, path: bytes, limit: int) -> bytes:
        """Return the first `limit` bytes of a file, or all if it is shorter."""


_Block = TypeVar("_Block", bytes, "bytes | memoryview")


def told(blocks: Iterable[_Block], done: int, tell: Tell) -> Iterator[_Block]:
    """Pass blocks on, telling how far they have come; `done` bytes were there before."""
    for block in blocks:
        yield block
        done += len(block)
        tell(done)


def no_space(path: str, detail: str) -> TransferFailed:
    """The cluster's disk is full."""
    return TransferFailed(
        f"There is no space left on the cluster for {path}.", "Make room there, or choose another job_root.", detail
    )


def forbidden(path: str, detail: str) -> TransferFailed:
    """The account may not do that there."""
    return TransferFailed(f"{path} on the cluster: permission denied.", "Check who owns the directory.", detail)


def longer_than_promised(path: str) -> TransferFailed:
    """A file to fetch is longer than it should be."""
    return TransferFailed(
        f"{path} is longer than its manifest says.",
        "Something wrote to it after the job had ended: look at it there.",
    )


def part_of(target: bytes, source: Source) -> bytes:
    """Return the temporary name: hidden, and no longer than a name may be.

    It is made of the name and the content's hash, so that only the same content is ever continued.
    """
    folder, _, name = target.rpartition(b"/")
    digest = hashlib.sha256(name + b"\0" + source.sha256.encode()).hexdigest()
    return folder + b"/.gridferry-" + digest[:16].encode() + b".part"
