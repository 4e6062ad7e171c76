"""Whole files by SFTP."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from project.adapters.ssh.ahead import ahead
from project.adapters.ssh.files import (
    LARGE_BYTES,
    NotThere,
    forbidden,
    longer_than_promised,
    no_space,
    part_of,
    told,
)
from project.adapters.ssh.sftp import Open
from project.adapters.ssh.sftp_wire import SftpError, Status
from project.core.errors import TransferFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from project.adapters.ssh.files import Tell
    from project.adapters.ssh.sftp import Sftp, SftpFile
    from project.adapters.ssh.source import Source


class SftpFiles:
    """Implements `Files` by SFTP.

    Args:
        sftp: the session.
        there: translates the shell's paths into SFTP's.
        sha256_there: tells the hash of the first so many bytes of a file there, "" if that is not possible.
    """

    def __init__(
        self, sftp: Sftp, there: Callable[[bytes], bytes], sha256_there: Callable[[bytes, int], str]
    ) -> None:
        self._sftp = sftp
        self._there = there
        self._sha256_there = sha256_there

    def put(self, source: Source, target: bytes, mode: int, tell: Tell) -> None:
        """See `Files`."""
        part = part_of(target, source)
        with self._explained(target, source.size):
            if source.size >= LARGE_BYTES and self._is_there(target, source):
                tell(source.size)
                return
            try:
                self._write(part, source, mode, tell)
            except (SftpError, TransferFailed):
                self._sftp.discard(self._there(part))  # it is of no use, and takes room that is wanted
                raise
            self._sftp.rename(self._there(part), self._there(target))

    def _write(self, part: bytes, source: Source, mode: int, tell: Tell) -> None:
        with self._open_part(part) as file:
            start = self._start(file, part, source)
            if source.size - start >= LARGE_BYTES:
                self._make_sure_of_room(part, source.size - start)
            file.write(told(self._ahead(source, start), start, tell), start)
            file.set_mode(mode)
            size = file.finish()
        if size != source.size:
            raise TransferFailed(f"{os.fsdecode(part)} did not become as long as what was sent.", "Try again.")

    def _is_there(self, target: bytes, source: Source) -> bool:
        """Whether an earlier try has put the same content in place already."""
        size = self._sftp.size_of(self._there(target))
        return size == source.size and self._sha256_there(target, size) == source.sha256

    def _make_sure_of_room(self, path: bytes, needed_bytes: int) -> None:
        """Raise TransferFailed if the disk there has too little room; a quota shows when it is used up."""
        free = self._free_bytes(path)
        if free is not None and free < needed_bytes:
            raise no_space(os.fsdecode(path), f"{needed_bytes} bytes to write, {free} bytes free")

    def _free_bytes(self, path: bytes) -> int | None:
        return self._sftp.free_bytes(self._there(path).rpartition(b"/")[0] or b"/")

    def fetch(self, path: bytes, start: int, size: int) -> Iterator[bytes | memoryview]:
        """See `Files`."""
        with self._explained(path), self._sftp.open(self._there(path), Open.READ) as file:
            question = file.ask_size()
            yield from file.read(start, size)
            if file.size(question) > size:
                raise longer_than_promised(os.fsdecode(path))

    def head(self, path: bytes, limit: int) -> bytes:
        """See `Files`."""
        with self._explained(path), self._sftp.open(self._there(path), Open.READ) as file:
            return b"".join(file.read(0, limit))

    def _ahead(self, source: Source, start: int) -> Iterator[bytes]:
        block_bytes = self._sftp.block_bytes
        blocks = source.blocks(start, block_bytes)
        return ahead(blocks) if source.size - start > block_bytes else blocks

    def _open_part(self, part: bytes) -> SftpFile:
        """Open the temporary file, which in the usual case is new; nobody else may look into it."""
        try:
            return self._sftp.open(self._there(part), Open.WRITE | Open.CREATE | Open.EXCLUSIVE)
        except SftpError as error:
            if error.status in {Status.NO_SUCH_FILE, Status.PERMISSION_DENIED}:
                raise
        return self._sftp.open(self._there(part), Open.WRITE)

    def _start(self, file: SftpFile, part: bytes, source: Source) -> int:
        """Return how much of `source` is there already; anything else that is there is cut off."""
        if file.is_new:
            return 0
        size = file.size(file.ask_size())
        if 0 < size <= source.size and self._sha256_there(part, size) == source.sha256_of_first(size):
            return size
        file.empty()
        return 0

    @contextlib.contextmanager
    def _explained(self, path: bytes, needed_bytes: int = 0) -> Iterator[None]:
        try:
            yield
        except SftpError as error:
            if error.status == Status.NO_SUCH_FILE:
                raise NotThere from error
            raise self._failure(error, path, needed_bytes) from error

    def _failure(self, error: SftpError, path: bytes, needed_bytes: int) -> TransferFailed:
        """SFTP says no more than "Failure" when a disk is full, so the free space is asked for."""
        name = os.fsdecode(path)
        if error.status == Status.PERMISSION_DENIED:
            return forbidden(name, "")
        free = self._free_bytes(path) if needed_bytes else None
        if free is not None and free < needed_bytes:
            return no_space(name, f"{needed_bytes} bytes to write, {free} bytes free")
        return TransferFailed(
            f"{name} on the cluster: {error or 'failure'}.", "Perhaps a quota is used up: look there with `quota -s`."
        )
