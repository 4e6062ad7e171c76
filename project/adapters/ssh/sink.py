"""Where a download goes: `TARGET.part` until all of it is there and is what it should be, then TARGET."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from project.adapters.ssh.files import NotThere
from project.core.errors import TransferFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from project.ports import RemoteFile

    #: Yields the content from an offset on.
    Fetch = Callable[[int], Iterable[bytes | memoryview]]


def save(source: RemoteFile, target: Path, fetch: Fetch) -> None:
    """Write what `fetch` yields to `target`, going on from what an earlier try left.

    Raises:
        TransferFailed: what came is not what `source` says, or cannot be written here.
        NotThere: there is nothing to fetch.
    """
    part = target.with_name(target.name + ".part")
    with _written_here(part):
        resumed = part.exists() and part.stat().st_size > 0
    try:
        complete = _fill(part, source, fetch)
        if not complete and resumed:  # what lay there was the beginning of something else
            part.unlink()
            complete = _fill(part, source, fetch)
    except NotThere:
        part.unlink(missing_ok=True)
        raise
    if not complete:
        part.unlink()
        raise TransferFailed(
            f"{source.path} is not what its manifest says ({source.size} bytes, SHA-256 {source.sha256}).",
            "It was changed after the job ended, or damaged: look at it on the cluster.",
        )
    with _written_here(target):
        part.replace(target)


def _fill(part: Path, source: RemoteFile, fetch: Fetch) -> bool:
    """Append what is missing; return whether all is there and right."""
    with contextlib.ExitStack() as files:
        with _written_here(part):
            file = files.enter_context(open(part, "a+b", opener=_no_link))
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256")
        if file.tell() > source.size:
            return False
        for block in fetch(file.tell()):
            digest.update(block)
            with _written_here(part):
                file.write(block)
            if file.tell() > source.size:  # there is no need to hear how it ends
                return False
        with _written_here(part):
            file.flush()
            os.fsync(file.fileno())
        return file.tell() == source.size and digest.hexdigest() == source.sha256


def _no_link(path: str, flags: int) -> int:
    """Open what an earlier try left, or a new file; never what a link at this place leads to."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


@contextlib.contextmanager
def _written_here(path: Path) -> Iterator[None]:
    """Tell trouble with this machine's disk from trouble with the connection."""
    try:
        yield
    except OSError as error:
        raise TransferFailed(
            f"{path} cannot be written on this machine: {error.strerror}.", "Make room, or save somewhere else."
        ) from error
