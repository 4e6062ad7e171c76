"""A login node that was broken into: whatever it sends, a client is neither broken nor filled."""

from __future__ import annotations

import contextlib
import hashlib
import struct
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.adapters.ssh import conversation, sink
from project.adapters.ssh.conversation import Conversation
from project.adapters.ssh.files import NotThere
from project.adapters.ssh.sftp import Open, Sftp
from project.adapters.ssh.sftp_files import SftpFiles
from project.adapters.ssh.sftp_wire import Kind, SftpError, SftpMissing, string
from project.core.errors import GridferryError, TransferFailed, Unreachable
from project.ports import RemoteFile
from tests.fuzzing import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import paramiko

#: What a connection that breaks may raise; `SshConnection` makes a TransferFailed of each.
_BROKEN = (SftpError, SftpMissing, EOFError, OSError, NotThere, GridferryError)
_VERSION = struct.pack(">IBI", 5, Kind.VERSION, 3)


class Channel:
    """An SSH channel whose other end says what it likes.

    Args:
        answer: given all that was sent so far, returns what to say next; b"" for nothing more.
    """

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._sent = b""
        self.closed = False
        self.eof_received = True
        self.status_event = threading.Event()
        self.status_event.set()

    def as_paramiko(self) -> paramiko.Channel:
        """Return it for what it stands for."""
        return cast("paramiko.Channel", self)

    def recv(self, size: int) -> bytes:
        """Say something."""
        return b"" if self.closed else self._answer(self._sent)[:size]

    def recv_stderr(self, _size: int) -> bytes:
        """Complain about nothing."""
        return b""

    def recv_ready(self) -> bool:
        """Whether there is something to say."""
        return not self.closed

    def sendall(self, data: bytes) -> None:
        """Take something in."""
        self._sent += data

    def exit_status_ready(self) -> bool:
        """The program has ended once it says no more."""
        return True

    def close(self) -> None:
        """Hang up."""
        self.closed = True

    def settimeout(self, _limit_s: float) -> None:
        """Be quick anyway."""

    def invoke_subsystem(self, _name: str) -> None:
        """Be an SFTP server."""


def _saying(*pieces: bytes) -> Channel:
    left = list(pieces)
    return Channel(lambda _sent: left.pop(0) if left else b"")


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), st.booleans())
def test_noise_is_no_sftp_server(pieces: list[bytes], well_begun: bool) -> None:
    """Whatever bytes come, at the start or after a good greeting: an error that is expected."""
    with contextlib.suppress(*_BROKEN):
        sftp = Sftp(_saying(*([_VERSION] if well_begun else []), *pieces).as_paramiko())
        with sftp.open(b"/x", Open.READ) as file:
            file.ask_size()
            b"".join(file.read(0, 100_000))


class _Liar:
    """An SFTP server that answers each request, with whatever it is told to."""

    def __init__(self, replies: Iterator[tuple[int, bytes]]) -> None:
        self._replies = replies
        self._seen = 0
        self._greeted = False

    def __call__(self, sent: bytes) -> bytes:
        if not self._greeted:
            self._greeted = True
            self._seen = len(sent)
            return _VERSION
        if self._seen >= len(sent):
            return b""
        length = int.from_bytes(sent[self._seen : self._seen + 4], "big")
        number = sent[self._seen + 5 : self._seen + 9]
        self._seen += 4 + length
        kind, body = next(self._replies, (Kind.STATUS, struct.pack(">I", 4)))
        return struct.pack(">IB", 5 + len(body), kind) + number + body


_BODIES = (
    st.binary(max_size=30)
    | st.binary(max_size=300).map(string)
    | st.builds(lambda flags, size: struct.pack(">IQ", flags, size), st.integers(0, 7), st.integers(0, 2**64 - 1))
)


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), _BODIES), max_size=40), st.integers(0, 400_000))
def test_a_lying_sftp_server_is_borne(replies: list[tuple[int, bytes]], size: int) -> None:
    """Answers of the wrong kind, too short, too long, a byte at a time: a file, or an error that is expected."""
    with contextlib.suppress(*_BROKEN):
        files = SftpFiles(Sftp(Channel(_Liar(iter(replies))).as_paramiko()), lambda path: path, lambda *_: "")
        assert sum(len(block) for block in files.fetch(b"/x", 0, size)) <= size


@pytest.mark.parametrize("piece", [1, 100])
def test_a_miserly_sftp_server_is_asked_again(piece: int) -> None:
    """One that gives a byte at a time exhausts neither the stack nor the patience for a small file."""
    size = 5000
    replies = ((Kind.DATA, string(b"x" * piece)) for _ in range(size))
    opened = iter([(Kind.HANDLE, string(b"h")), (Kind.ATTRIBUTES, struct.pack(">IQ", 1, size))])

    def all_replies() -> Iterator[tuple[int, bytes]]:
        yield from opened
        yield from replies

    files = SftpFiles(Sftp(Channel(_Liar(all_replies())).as_paramiko()), lambda path: path, lambda *_: "")
    assert b"".join(files.fetch(b"/x", 0, size)) == b"x" * size


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> int:
    """A limit that a test reaches."""
    monkeypatch.setattr(conversation, "_LONGEST_BYTES", 100_000)
    return 100_000


@pytest.mark.usefixtures("short")
def test_a_shell_that_talks_without_end_is_left() -> None:
    """Neither an answer without its mark nor a line without its end fills the memory."""
    talk = Conversation(Channel(lambda _: b"x" * 10_000).as_paramiko(), "nic5")
    with pytest.raises(Unreachable, match="answers without end"):
        talk.read_past(b"never", 60)
    talk = Conversation(Channel(lambda _: b"x" * 10_000).as_paramiko(), "nic5")
    with pytest.raises(Unreachable, match="line without end"):
        list(talk.lines())


@given(st.lists(st.binary(min_size=1, max_size=12) | st.just(b"\n"), max_size=20))
def test_lines_are_whole_however_they_come(pieces: list[bytes]) -> None:
    """Cut anywhere, they come out as they were."""
    content = b"".join(pieces)
    wanted = content.split(b"\n")
    talk = Conversation(_saying(*pieces).as_paramiko(), "nic5")
    assert list(talk.lines()) == wanted[:-1] + ([wanted[-1]] if wanted[-1] else [])


@examples(50)
@given(st.binary(max_size=50), st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.integers(-5, 60))
def test_a_file_is_what_its_manifest_says_or_not_there(left: bytes, blocks: list[bytes], size: int) -> None:
    """Whatever comes, and whatever an earlier try left: the right content, or an error and no file."""
    content = b"".join(blocks)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "file"
        if left:
            sink.part_of(target).write_bytes(left)
        source = RemoteFile("/there", size, hashlib.sha256(content).hexdigest())
        try:
            sink.save(source, target, lambda start: iter([content[start:]] if content[start:] else []))
            assert target.read_bytes() == content
        except TransferFailed:
            assert not target.exists()


def test_a_download_without_end_ends_at_its_size(tmp_path: Path) -> None:
    """A cluster that sends more than it promised fills no disk here."""
    sent = 0

    def endless(_start: int) -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield b"x" * 1000

    with pytest.raises(TransferFailed, match="is not what its manifest says"):
        sink.save(RemoteFile("/there", 5000, "0" * 64), tmp_path / "file", endless)
    assert sent <= 2 * 6000
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    """Where a download's temporary file should be lies a link to something precious: it stays as it is."""
    precious = tmp_path / "precious"
    precious.write_text("kept")
    described = RemoteFile("/there", 1, "0" * 64)
    writes: list[Callable[[], None]] = [
        lambda: sink.save(described, tmp_path / "file", lambda _: iter([b"x"])),
        lambda: sink.keep(described, tmp_path / "file", b"x"),
    ]
    for write in writes:
        sink.part_of(tmp_path / "file").symlink_to(precious)
        with pytest.raises(TransferFailed, match="cannot be written"):
            write()
        assert precious.read_text() == "kept"
