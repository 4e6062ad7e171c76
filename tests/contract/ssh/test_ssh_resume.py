"""Transfers that are cut, and files that are not what they should be: whole and right, or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.adapters.ssh import sink
from project.adapters.ssh.files import part_of
from project.adapters.ssh.source import Source
from project.core.errors import TransferFailed
from tests.contract.processes import poll
from tests.contract.ssh.transfers import LARGE, manifest

if TYPE_CHECKING:
    from project.adapters.ssh.connection import SshConnection
    from tests.contract.ssh.conftest import Caller
    from tests.contract.ssh.servers import SshServer


def test_an_upload_goes_on_where_it_was_cut(
    way: str, there: SshConnection, cuttable: SshServer, caller: Caller, far: Path
) -> None:
    """After a cut nothing is at the target; the same content is continued, and arrives whole."""

    def cut(done: int, total: int) -> None:
        if done > total // 2:
            cuttable.cut_connections()

    with pytest.raises(TransferFailed, match="broke while"):
        there.put(LARGE, f"{far}/file", progress=cut)
    (part,) = far.iterdir()
    assert part.name.startswith(".gridferry-")
    arrived, steps = part.stat().st_size, [0]
    assert 0 < arrived < len(LARGE)
    caller.connect(cuttable).put(LARGE, f"{far}/file", progress=lambda done, _total: steps.append(done))
    assert steps[1] > arrived, way
    assert (far / "file").read_bytes() == LARGE
    assert len(list(far.iterdir())) == 1


@pytest.mark.parametrize("left", [b"something else", LARGE + b"longer"])
def test_a_damaged_part_is_not_continued(left: bytes, there: SshConnection, far: Path, tmp_path: Path) -> None:
    """What lies there under the temporary name is checked by its hash before anything is put behind it."""
    local = tmp_path / "local"
    local.write_bytes(LARGE)
    with contextlib.closing(Source(local)) as source:
        part = Path(os.fsdecode(part_of(os.fsencode(far / "file"), source)))
    part.write_bytes(left)
    there.put(LARGE, f"{far}/file")
    assert (far / "file").read_bytes() == LARGE
    assert [path.name for path in far.iterdir()] == ["file"]


def test_a_download_goes_on_where_it_was_cut(
    there: SshConnection, cuttable: SshServer, caller: Caller, far: Path, tmp_path: Path
) -> None:
    """After a cut nothing is at the target; the rest is fetched later, and all of it is checked."""
    (far / "file").write_bytes(LARGE)

    def cut(done: int, total: int) -> None:
        if done > total // 2:
            cuttable.cut_connections()

    with pytest.raises(TransferFailed, match="broke while"):
        there.get(manifest(far / "file", LARGE), tmp_path / "back", progress=cut)
    assert not (tmp_path / "back").exists()
    arrived, steps = sink.part_of(tmp_path / "back").stat().st_size, [0]
    again = caller.connect(cuttable)
    again.get(manifest(far / "file", LARGE), tmp_path / "back", progress=lambda done, _total: steps.append(done))
    assert steps[1] > arrived > 0
    assert (tmp_path / "back").read_bytes() == LARGE
    assert not sink.part_of(tmp_path / "back").exists()


@pytest.mark.parametrize("left", [b"other beginning", b"far longer than what is fetched"])
def test_a_foreign_beginning_is_not_continued(left: bytes, there: SshConnection, far: Path, tmp_path: Path) -> None:
    """A part that belongs to something else is found out by the hash, and everything is fetched anew."""
    (far / "file").write_bytes(b"what is fetched here")
    sink.part_of(tmp_path / "back").write_bytes(left)
    there.get(manifest(far / "file", b"what is fetched here"), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"what is fetched here"


@pytest.mark.parametrize("changed", [b"same size, new", b"shorter", b"same size, old and more"])
def test_a_file_that_is_not_what_the_manifest_says(
    changed: bytes, there: SshConnection, far: Path, tmp_path: Path
) -> None:
    """Another content, a shorter or a longer file: nothing is kept as if it were right."""
    (far / "file").write_bytes(changed)
    with pytest.raises(TransferFailed, match="manifest says"):
        there.get(manifest(far / "file", b"same size, old"), tmp_path / "back")
    assert not (tmp_path / "back").exists()
    assert not sink.part_of(tmp_path / "back").exists()


def test_a_source_that_changes_meanwhile(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """A file that is written to while it is sent is not put in place half old, half new."""
    local = tmp_path / "local"
    local.write_bytes(LARGE)

    def change(_done: int, _total: int) -> None:
        with local.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"?")

    with pytest.raises(TransferFailed, match="changed while it was sent"):
        there.put(local, f"{far}/file", progress=change)
    poll(lambda: not list(far.iterdir()), "nothing of it is left")


def test_what_is_there_already_is_not_sent_again(there: SshConnection, far: Path) -> None:
    """The same content in place costs a look, not a transfer; other content of the same size is replaced."""
    there.put(LARGE, f"{far}/file")
    before, steps = (far / "file").stat().st_ino, [0]
    there.put(LARGE, f"{far}/file", progress=lambda done, _total: steps.append(done))
    assert (steps, (far / "file").stat().st_ino) == ([0, len(LARGE)], before)
    (far / "file").write_bytes(LARGE[::-1])
    there.put(LARGE, f"{far}/file")
    assert (far / "file").read_bytes() == LARGE
