"""Where a download goes: a hidden file beside its target until all of it is there and right, then the target."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from typing import TYPE_CHECKING

from project.adapters.ssh.files import NotThere
from project.core.errors import TransferFailed, TransferStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from project.ports import RemoteFile

    #: Yields the content from an offset on.
    Fetch = Callable[[int], Iterable[bytes | memoryview]]

_EXECUTABLE = 0o100
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def save(source: RemoteFile, target: Path, fetch: Fetch) -> None:
    """Write what `fetch` yields to `target`, going on from what an earlier try left.

    Raises:
        TransferFailed: what came is not what `source` says, or cannot be written here; nothing of it is kept then.
        NotThere: there is nothing to fetch.
    """
    part = part_of(target)
    try:
        with _written_here(target):
            resumed = part.exists() and part.stat().st_size > 0
        is_complete = _fill(part, target, source, fetch)
        if not is_complete and resumed:  # what lay there was the beginning of something else
            part.unlink()
            is_complete = _fill(part, target, source, fetch)
        _check(source, is_complete=is_complete)
        _put_in_place(part, target, executable=source.executable)
    except (NotThere, TransferFailed):
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def keep(source: RemoteFile, target: Path, content: bytes) -> None:
    """Write the whole content of a small file, and make the folders above it.

    Raises:
        TransferFailed: it cannot be written here; nothing of it is kept then.
    """
    part = part_of(target)
    try:
        with _written_here(target):
            try:
                _write(part, content)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(part, content)
        _put_in_place(part, target, executable=source.executable)
    except TransferFailed:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def part_of(target: Path) -> Path:
    """Return where a file is while it is on its way: hidden, and no longer than a name may be."""
    return target.with_name(f".gridferry-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.part")


def _fill(part: Path, target: Path, source: RemoteFile, fetch: Fetch) -> bool:
    """Append what is missing; return whether all is there and right."""
    with contextlib.ExitStack() as files:
        with _written_here(target):
            file = files.enter_context(open(part, "a+b", opener=_no_link))
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256")
        if file.tell() > source.size:
            return False
        for block in fetch(file.tell()):
            digest.update(block)
            with _written_here(target):
                file.write(block)
            if file.tell() > source.size:  # there is no need to hear how it ends
                return False
        with _written_here(target):
            file.flush()
            os.fsync(file.fileno())
        return file.tell() == source.size and digest.hexdigest() == source.sha256


def _write(part: Path, content: bytes) -> None:
    with open(part, "wb", opener=_no_link) as file:
        file.write(content)


def _no_link(path: str, flags: int) -> int:
    """Open what an earlier try left, or a new file; never what a link at this place leads to."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def _check(source: RemoteFile, *, is_complete: bool) -> None:
    if not is_complete:
        raise TransferFailed(
            f"{source.path} is not what its manifest says ({source.size} bytes, SHA-256 {source.sha256}).",
            "It was changed after the job ended, or damaged: look at it on the cluster.",
        )


def _put_in_place(part: Path, target: Path, *, executable: bool) -> None:
    with _written_here(target):
        if executable:
            part.chmod(part.stat().st_mode | _EXECUTABLE)
        part.replace(target)


@contextlib.contextmanager
def _written_here(target: Path) -> Iterator[None]:
    """Tell trouble with this machine's disk from trouble with the connection."""
    try:
        yield
    except OSError as error:
        kind = TransferStopped if error.errno in _NO_ROOM else TransferFailed
        raise kind(
            f"{target} cannot be written on this machine: {error.strerror}.", "Make room, or save somewhere else."
        ) from error
