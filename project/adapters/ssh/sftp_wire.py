"""Requests and replies of the SSH File Transfer Protocol, version 3 (draft-ietf-secsh-filexfer-02)."""

from __future__ import annotations

import enum
import struct
from typing import TYPE_CHECKING

import paramiko

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Kind(enum.IntEnum):
    """Message types."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    FSTAT = 8
    FSETSTAT = 10
    REMOVE = 13
    STAT = 17
    RENAME = 18
    STATUS = 101
    HANDLE = 102
    DATA = 103
    ATTRIBUTES = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Status(enum.IntEnum):
    """What a server answers when it has no data to give; some servers know more."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4


class SftpError(Exception):
    """The server refused a request.

    Attributes:
        status: why, one of `Status` or another number.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class SftpMissing(Exception):
    """The server has no SFTP."""


#: Seconds without an answer after which the server is given up: writing all of a large file to a busy parallel file
#: system takes minutes. A dead connection shows sooner (see session.py).
_STALL_LIMIT_S = 600.0

#: No reply is longer: more than is ever asked for at a time.
_LONGEST_BYTES = 1024 * 1024

_RECEIVE_BYTES = 1024 * 1024

_VERSION = 3


class SftpWire:
    """Sends requests and finds their replies, in whatever order these come.

    Args:
        channel: a new channel.

    Attributes:
        extensions: names of what the server can do beyond the protocol.

    Raises:
        SftpMissing: the server has none.
        OSError, EOFError: the connection broke or stalled; any method may raise these.
    """

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._received = memoryview(b"")
        self._replies: dict[int, tuple[int, memoryview]] = {}
        self._awaited: set[int] = set()
        self._forgotten: set[int] = set()
        self._number = 0
        channel.settimeout(_STALL_LIMIT_S)
        self.extensions = self._greet()

    def ask(self, kind: Kind, body: bytes) -> int:
        """Send a request without waiting; return the number under which its reply will come."""
        self._number += 1
        self._awaited.add(self._number)
        self._write(kind, struct.pack(">I", self._number) + body)
        return self._number

    def reply(self, number: int, kind: Kind) -> memoryview:
        """Wait for the reply to request `number` and return its content, which must be of this kind.

        Raises:
            SftpError: the server refused.
        """
        while number not in self._replies:
            self._file_reply()
        got, body = self._replies.pop(number)
        if got == Kind.STATUS:
            _raise_unless_ok(body)
        elif got != kind:
            raise SftpError(Status.FAILURE, f"the server's SFTP answers {got} where {kind} belongs")
        return body

    def forget(self, numbers: Iterable[int]) -> None:
        """Throw away the replies to these requests when they come."""
        self._forgotten.update(numbers)

    def has_news(self) -> bool:
        """Whether a reply has begun to come in."""
        return len(self._received) > 0 or self._channel.recv_ready()

    def close(self) -> None:
        """End the session."""
        self._channel.close()

    def _file_reply(self) -> None:
        kind, body = self._read()
        number = int.from_bytes(body[:4], "big")
        if number not in self._awaited:
            raise EOFError("not SFTP: it answers what was not asked")
        self._awaited.remove(number)
        if number in self._forgotten:
            self._forgotten.remove(number)
        else:
            self._replies[number] = kind, body[4:]

    def _greet(self) -> frozenset[bytes]:
        try:
            self._channel.invoke_subsystem("sftp")
            self._write(Kind.INIT, struct.pack(">I", _VERSION))
            kind, body = self._read()
            if kind != Kind.VERSION:
                raise SftpMissing
            return frozenset(bytes(name) for name in list(strings(body[4:]))[::2])
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise SftpMissing from error

    def _write(self, kind: Kind, content: bytes) -> None:
        self._channel.sendall(struct.pack(">IB", len(content) + 1, kind) + content)

    def _read(self) -> tuple[int, memoryview]:
        self._receive(4)
        length = int.from_bytes(self._received[:4], "big")
        if not 0 < length <= _LONGEST_BYTES:  # what start-up files of the login shell print, most likely
            raise EOFError(f"not SFTP: {bytes(self._received[:40])!r}")
        self._receive(4 + length)
        packet, self._received = self._received[4 : 4 + length], self._received[4 + length :]
        return packet[0], packet[1:]

    def _receive(self, length: int) -> None:
        """Have at least so many bytes at hand; what comes is not copied but where a packet is in two pieces."""
        if len(self._received) >= length:
            return
        pieces, size = [bytes(self._received)], len(self._received)
        while size < length:
            chunk = self._channel.recv(_RECEIVE_BYTES)
            if not chunk:
                raise EOFError("the connection was closed")
            pieces.append(chunk)
            size += len(chunk)
        self._received = memoryview(b"".join(pieces))


def string(content: bytes | memoryview) -> bytes:
    """Return `content` with its length before it."""
    return struct.pack(">I", len(content)) + content


def strings(body: memoryview) -> Iterator[memoryview]:
    """Yield the strings of which `body` is made.

    Raises:
        EOFError: it is made of something else.
    """
    while body:
        end = 4 + int.from_bytes(body[:4], "big")
        if end > len(body):
            raise EOFError("not SFTP: half a string")
        yield body[4:end]
        body = body[end:]


def first_string(body: memoryview) -> memoryview:
    """Return the first string of `body` (EOFError if there is none)."""
    for found in strings(body):
        return found
    raise EOFError("not SFTP: a string is missing")


def numbers(form: str, body: memoryview) -> tuple[int, ...]:
    """Return the numbers at the beginning of `body`, whose form is one of struct's (EOFError if it is too short)."""
    try:
        return struct.unpack_from(form, body)
    except struct.error:
        raise EOFError("not SFTP: numbers are missing") from None


def _raise_unless_ok(body: memoryview) -> None:
    status = int.from_bytes(body[:4], "big")
    if status != Status.OK:
        raise SftpError(status, bytes(first_string(body[4:])).decode(errors="replace") if body[4:] else "")
