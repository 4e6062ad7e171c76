"""Files by SFTP, with many requests under way at a time.

paramiko has an SFTP client too. This one is twice as fast (on one machine 110 against 56 MB/s up, 105 against 57
down): it asks OpenSSH's server for 255 KiB at a time instead of 32, reads the channel in large pieces, and waits for
nothing it need not wait for. It also knows the server's extensions, and takes file names as the bytes they are.
"""

from __future__ import annotations

import contextlib
import enum
import struct
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Self

from project.adapters.ssh.sftp_wire import Kind, SftpError, SftpWire, Status, first_string, numbers, string

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import paramiko

_HAS_SIZE, _HAS_MODE = 0x1, 0x4

_PRIVATE = 0o600

#: Bytes a request may carry: what every server must take, and what OpenSSH's takes (SFTP_MAX_MSG_LENGTH less 1 KiB).
_SMALL_BLOCK_BYTES, _LARGE_BLOCK_BYTES = 32 * 1024, 255 * 1024

#: Requests under way at a time; so many large ones fill the channel's window.
_REQUESTS_UNDER_WAY = 32

_POSIX_RENAME, _FSYNC, _STATVFS = b"posix-rename@openssh.com", b"fsync@openssh.com", b"statvfs@openssh.com"


class Open(enum.IntFlag):
    """How to open a file."""

    READ = 0x01
    WRITE = 0x02
    CREATE = 0x08
    EXCLUSIVE = 0x20


class _Piece(NamedTuple):
    """A part of a file that has been asked for."""

    number: int
    offset: int
    length: int


class Sftp:
    """One SFTP session.

    Args:
        channel: a new channel.

    Raises:
        SftpMissing: the server has none.
        SftpError: the server refused; any method may raise this.
        OSError, EOFError: the connection broke or stalled; any method may raise these.
    """

    def __init__(self, channel: paramiko.Channel) -> None:
        self._wire = SftpWire(channel)
        self.close = self._wire.close

    @property
    def block_bytes(self) -> int:
        """How much one request carries best."""
        return _LARGE_BLOCK_BYTES if _POSIX_RENAME in self._wire.extensions else _SMALL_BLOCK_BYTES

    def open(self, path: bytes, how: Open) -> SftpFile:
        """Open a file; a new one is private to the user."""
        number = self._wire.ask(Kind.OPEN, string(path) + struct.pack(">III", how, _HAS_MODE, _PRIVATE))
        handle = bytes(first_string(self._wire.reply(number, Kind.HANDLE)))
        return SftpFile(self._wire, handle, self.block_bytes, is_new=Open.EXCLUSIVE in how)

    def rename(self, old: bytes, new: bytes) -> None:
        """Give a file the name `new`, in one step where the server can, even if another file has it."""
        if _POSIX_RENAME in self._wire.extensions:
            self._do(Kind.EXTENDED, string(_POSIX_RENAME) + string(old) + string(new))
            return
        try:
            self._do(Kind.REMOVE, string(new))
        except SftpError as error:
            if error.status != Status.NO_SUCH_FILE:
                raise
        self._do(Kind.RENAME, string(old) + string(new))

    def discard(self, path: bytes) -> None:
        """Remove a file if it is there and the server lets us."""
        with contextlib.suppress(SftpError):
            self._do(Kind.REMOVE, string(path))

    def size_of(self, path: bytes) -> int | None:
        """Return the size of a file in bytes, None if it is not there or the server does not say."""
        number = self._wire.ask(Kind.STAT, string(path))
        try:
            return _size(self._wire.reply(number, Kind.ATTRIBUTES))
        except SftpError:
            return None

    def exists(self, paths: Iterable[bytes]) -> list[bool]:
        """Tell of each path whether something is there (one round trip for all)."""
        return [self._is_there(number) for number in [self._wire.ask(Kind.STAT, string(path)) for path in paths]]

    def free_bytes(self, path: bytes) -> int | None:
        """Return what the user may still write on the file system of `path`, None if the server cannot tell."""
        if _STATVFS not in self._wire.extensions:
            return None
        number = self._wire.ask(Kind.EXTENDED, string(_STATVFS) + string(path))
        reply = self._wire.reply(number, Kind.EXTENDED_REPLY)
        _block, fragment, _total, _free, available = numbers(">5Q", reply)
        return int(fragment * available)

    def _is_there(self, number: int) -> bool:
        try:
            self._wire.reply(number, Kind.ATTRIBUTES)
        except SftpError:
            return False
        return True

    def _do(self, kind: Kind, body: bytes) -> None:
        self._wire.reply(self._wire.ask(kind, body), Kind.STATUS)


class SftpFile:
    """An open file. What it is told is sent at once, and found done or refused later, at `finish` at the latest.

    Args:
        wire: the session.
        handle: the server's name for the open file.
        block_bytes: how much to read at a time.
        is_new: whether the file was made by opening it.
    """

    def __init__(self, wire: SftpWire, handle: bytes, block_bytes: int, *, is_new: bool) -> None:
        self.is_new = is_new
        self._wire = wire
        self._handle = string(handle)
        self._block_bytes = block_bytes
        self._under_way: deque[int] = deque()

    def set_mode(self, mode: int) -> None:
        """Set the permissions, whatever the umask."""
        self._tell(Kind.FSETSTAT, struct.pack(">II", _HAS_MODE, mode))

    def empty(self) -> None:
        """Cut the content."""
        self._tell(Kind.FSETSTAT, struct.pack(">IQ", _HAS_SIZE, 0))

    def write(self, blocks: Iterable[bytes], offset: int) -> None:
        """Write one block after the other from `offset` on."""
        for block in blocks:
            self._tell(Kind.WRITE, struct.pack(">Q", offset), string(block))
            offset += len(block)
            while len(self._under_way) > _REQUESTS_UNDER_WAY or (self._under_way and self._wire.has_news()):
                self._settle_one()

    def finish(self) -> int:
        """Have everything put on the disk (if the server can), wait for it, and return the size in bytes."""
        if _FSYNC in self._wire.extensions:
            self._under_way.append(self._wire.ask(Kind.EXTENDED, string(_FSYNC) + self._handle))
        question = self.ask_size()
        while self._under_way:
            self._settle_one()
        return self.size(question)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close, without waiting for it; what is still under way is of no interest any more."""
        with contextlib.suppress(OSError, EOFError):  # the connection is gone, and the file closed with it
            self._wire.forget([*self._under_way, self._wire.ask(Kind.CLOSE, self._handle)])

    def ask_size(self) -> int:
        """Ask for the size; return the number of the question, for `size`."""
        return self._wire.ask(Kind.FSTAT, self._handle)

    def size(self, question: int) -> int:
        """Return the size in bytes."""
        return _size(self._wire.reply(question, Kind.ATTRIBUTES)) or 0

    def read(self, offset: int, end: int) -> Iterator[bytes | memoryview]:
        """Yield the content from `offset` to `end`, or to the end of the file if that comes first."""
        asked: deque[_Piece] = deque()
        ahead = offset
        try:
            while asked or ahead < end:
                while ahead < end and len(asked) < _REQUESTS_UNDER_WAY:
                    asked.append(self._ask_for(ahead, min(self._block_bytes, end - ahead)))
                    ahead += asked[-1].length
                block = self._receive(asked.popleft())
                if not block:
                    return
                yield block
        finally:
            self._wire.forget(piece.number for piece in asked)

    def _tell(self, kind: Kind, body: bytes = b"", tail: bytes = b"") -> None:
        self._under_way.append(self._wire.ask(kind, self._handle + body + tail))

    def _settle_one(self) -> None:
        self._wire.reply(self._under_way.popleft(), Kind.STATUS)

    def _ask_for(self, offset: int, length: int) -> _Piece:
        number = self._wire.ask(Kind.READ, self._handle + struct.pack(">QI", offset, length))
        return _Piece(number, offset, length)

    def _receive(self, piece: _Piece) -> bytes | memoryview:
        """Return the whole piece, asking for the rest if the server gave less; shorter or empty at the file's end."""
        data = self._content_of(piece)
        if len(data) in (0, piece.length):
            return data
        whole = bytearray(data)
        while len(whole) < piece.length:
            more = self._content_of(self._ask_for(piece.offset + len(whole), piece.length - len(whole)))
            if not more:
                break
            whole += more
        return bytes(whole)

    def _content_of(self, piece: _Piece) -> bytes | memoryview:
        """Return what the server gives of a piece, nothing at the file's end."""
        try:
            data = first_string(self._wire.reply(piece.number, Kind.DATA))
        except SftpError as error:
            if error.status == Status.EOF:
                return b""
            raise
        if len(data) > piece.length:
            raise EOFError("not SFTP: it gives more than was asked for")
        return data


def _size(attributes: memoryview) -> int | None:
    """Return the size that attributes tell of."""
    flags, size = numbers(">IQ", attributes)
    return size if flags & _HAS_SIZE else None
