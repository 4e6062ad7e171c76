"""What login nodes and files of OpenSSH say: probes, events, streams of files, ssh_config, known_hosts."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from project.adapters.ssh.destination import Hop
from project.adapters.ssh.known_hosts import HostKey, entries
from project.adapters.ssh.ssh_config import SshConfig
from project.adapters.ssh.tar_stream import members
from project.core import cluster
from project.core.errors import GridferryError
from project.core.far_events import _KINDS, read_event
from project.core.probe import parse_probe
from tests.fuzzing import examples
from tests.unit.fuzz.words import BYTES, JSON, WORDS, cut_up

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROBE = "noise\ngridferry: root /home/j/gridferry\ngridferry: python /usr/bin/python3\ngridferry: program\n"


@given(cut_up(_PROBE) | WORDS)
def test_no_answer_to_a_probe_breaks_the_client(answer: str) -> None:
    """There is a place and a Python, or an error that says what is missing."""
    with contextlib.suppress(GridferryError):
        assert parse_probe(answer, "nic5").paths.root.startswith("/")


_EVENT = st.builds(
    lambda kind, rest: {**rest, "event": kind}, st.sampled_from(sorted(_KINDS)), st.dictionaries(WORDS, JSON)
)


@given(JSON.map(json.dumps) | _EVENT.map(json.dumps) | cut_up('{"event": "output", "line": "x"}', "[" * 2000))
def test_no_event_breaks_the_client(line: str) -> None:
    """It is one of those we know, or an error."""
    with contextlib.suppress(GridferryError):
        assert read_event(line)["event"] in _KINDS


@given(st.dictionaries(st.sampled_from(sorted(cluster.SHAPE)) | WORDS, JSON))
def test_no_document_of_a_cluster_breaks_the_client(document: dict[str, Any]) -> None:
    """It is used as it is, or refused with what is wrong."""
    good = {"name": "nic5", "hostname": "login.example.org"}
    with contextlib.suppress(GridferryError):
        cluster.checked({**good, **document})


_KEY = f"ssh-ed25519 {base64.b64encode(bytes(51)).decode()}"
_HOSTS = cut_up(f"a,b {_KEY}\n@revoked * {_KEY}\n|1|YQ==|YQ== {_KEY}\n[a]:22,!b* {_KEY} comment\n")


@examples(60)
@given(_HOSTS.map(lambda text: text.encode("utf-8", "surrogatepass")) | BYTES)
def test_no_file_of_known_hosts_breaks_the_client(content: bytes) -> None:
    """What is no entry says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "known_hosts"
        path.write_bytes(content)
        assert all(isinstance(entry.key, HostKey) for entry in entries([path], "a"))


_CONFIG = cut_up(
    "Host a\n Port 22\n ProxyJump j@b:22\n IdentityFile ~/.ssh/%h\n", "Match exec x\nHost *\n User ${USER}\n"
)


@examples(15)
@pytest.mark.parametrize("program", ["ssh", None])
@given(content=_CONFIG.map(lambda text: text.encode("utf-8", "surrogatepass")) | BYTES)
def test_no_ssh_config_breaks_the_client(program: str | None, content: bytes) -> None:
    """With OpenSSH to read it, and without: it leads somewhere, or it is said to be wrong."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        if program is None:
            patched.setenv("PATH", folder)
        path = Path(folder) / "config"
        path.write_bytes(content.replace(b"exec", b"host"))
        with contextlib.suppress(GridferryError):
            assert SshConfig(path, []).resolve(Hop("a")).port > 0


@example("\0@host")
@given(WORDS | cut_up("ssh://me@host:22/", "[::1]:2222", "a@b,c:1"))
def test_jump_hosts_are_hosts_or_refused(text: str) -> None:
    """No jump host begins like an option, or holds what a shell could take for a command."""
    with contextlib.suppress(GridferryError):
        for hop in Hop.parse_all(text):
            assert "-" not in (hop.host[0], hop.username[:1])
            assert not set(hop.host + hop.username) & set(" '\"`$;&<>|(){}\\\n\0")
            assert hop.port is None or 0 < hop.port <= 65535


def _archive() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in ("./a", "./" + "long" * 50, "./b \udcff"):
            member = tarfile.TarInfo(name)
            member.size = 3
            archive.addfile(member, io.BytesIO(b"abc"))
    return written.getvalue()[:8192]


_TAR = _archive()


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes of which some were changed, cut off or put elsewhere."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(content)) | st.integers(0, 600))
        content[at : at + draw(st.integers(0, 16))] = draw(st.binary(max_size=16))
    return bytes(content[: draw(st.integers(0, len(content)))]) if draw(st.booleans()) else bytes(content)


def with_right_sums(content: bytes) -> bytes:
    """Return an archive in which the sum of each header is right, so that what was damaged is looked at."""
    blocks = [bytearray(content[at : at + 512]) for at in range(0, len(content), 512)]
    for block in blocks:
        if len(block) == 512:
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
    return b"".join(blocks)


@given(damaged(_TAR), st.booleans(), st.integers(1, 1000))
def test_no_stream_of_files_breaks_the_client(content: bytes, right: bool, piece: int) -> None:
    """A hostile tar: some files, then its end, or what the caller takes for it; never much of it at a time."""
    sent = with_right_sums(content) if right else content
    blocks = (sent[at : at + piece] for at in range(0, len(sent), piece))
    for _, read in members(blocks):
        assert len(read) <= len(sent)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.REGTYPE])
def test_a_stream_without_end_has_one(kind: bytes) -> None:
    """A header that promises a name, or a file, of terabytes does not fill the memory."""
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 2**42
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield header.tobuf(tarfile.GNU_FORMAT)
        while True:
            sent += 65536
            yield bytes(65536)

    assert list(members(endless())) == []
    assert sent < 32 * 1024 * 1024
