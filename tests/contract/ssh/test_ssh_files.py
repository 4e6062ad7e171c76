"""Files up and down: any size, name and mode, by SFTP and without; and what stands in the way."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from project.core.errors import TransferFailed, TransferStopped
from project.ports import RemoteFile
from tests.contract.processes import poll
from tests.contract.ssh.transfers import LARGE, ODD_NAMES, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from project.adapters.ssh.connection import SshConnection


@pytest.mark.parametrize("size", [0, 1, 32 * 1024, 255 * 1024, 255 * 1024 + 1, 3_000_001])
def test_content_of_any_size_goes_up_and_down(size: int, there: SshConnection, far: Path, tmp_path: Path) -> None:
    """What arrives is what was sent, and progress ends at the whole."""
    content, steps = os.urandom(size), [(0, size)]
    there.put(content, f"{far}/file", progress=lambda done, total: steps.append((done, total)))
    assert (far / "file").read_bytes() == content
    assert steps[-1] == (size, size)
    there.get(manifest(far / "file", content), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    assert [path.name for path in far.iterdir()] == ["file"]


def test_the_hash_may_come_after_the_file(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """It is asked for once all is here, and what it does not fit is not kept."""
    (far / "file").write_bytes(b"content")
    asked = []

    def tell(told: str) -> str:
        asked.append(list(tmp_path.glob(".gridferry*")))
        return told

    right = manifest(far / "file", b"content").sha256
    there.get(RemoteFile(f"{far}/file", 7, lambda: tell(right)), tmp_path / "right")
    assert (tmp_path / "right").read_bytes() == b"content"
    with pytest.raises(TransferFailed, match="is not what its manifest says"):
        there.get(RemoteFile(f"{far}/file", 7, lambda: tell("")), tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()
    assert all(len(parts) == 1 for parts in asked)


def test_a_local_file_goes_up(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """Paths are as good as bytes, and an existing file is replaced."""
    (tmp_path / "local").write_bytes(LARGE)
    (far / "file").write_text("old")
    there.put(tmp_path / "local", f"{far}/file")
    assert (far / "file").read_bytes() == LARGE


@pytest.mark.parametrize("mode", [0o600, 0o777, 0o400])
def test_the_mode_is_exact(mode: int, there: SshConnection, far: Path) -> None:
    """Permissions are what was asked for, whatever the umask of the far side."""
    there.put(b"content", f"{far}/file", mode=mode)
    assert stat.S_IMODE((far / "file").stat().st_mode) == mode


def test_nothing_is_readable_before_it_is_private(there: SshConnection, far: Path) -> None:
    """While it is still on its way, a private file is private already."""
    modes: set[int] = set()

    def look(_done: int, _total: int) -> None:
        modes.update(stat.S_IMODE(path.stat().st_mode) for path in far.iterdir())

    there.put(LARGE, f"{far}/file", mode=0o600, progress=look)
    assert modes == {0o600}


@pytest.mark.parametrize(
    "name",
    ODD_NAMES,
)
def test_odd_names(name: str, there: SshConnection, far: Path, tmp_path: Path) -> None:
    """Any name that a file can have is taken as it is."""
    there.put(b"odd", f"{far}/{name}")
    assert [os.fsencode(path.name) for path in far.iterdir()] == [os.fsencode(name)]
    there.get(manifest(f"{far}/{name}", b"odd"), tmp_path / "back")
    assert there.read(f"{far}/{name}", 10) == b"odd"


def test_only_the_beginning_is_read(there: SshConnection, far: Path) -> None:
    """`read` keeps its limit, and takes what there is of a shorter file."""
    (far / "file").write_bytes(b"0123456789")
    assert there.read(f"{far}/file", 4) == b"0123"
    assert there.read(f"{far}/file", 4000) == b"0123456789"


def test_what_is_not_there(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """Missing files and directories are told, each in the way its caller needs."""
    with pytest.raises(FileNotFoundError):
        there.read(f"{far}/none", 10)
    with pytest.raises(TransferFailed, match="is not there"):
        there.get(manifest(far / "none", b"x"), tmp_path / "back")
    with pytest.raises(TransferFailed, match="or its directory is not"):
        there.put(b"x", f"{far}/none/file")
    assert not any(far.iterdir())
    assert not any(tmp_path.glob(".gridferry*"))


def test_a_source_that_is_not_there(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """A missing local file is told as such."""
    with pytest.raises(TransferFailed, match="cannot be read: No such file"):
        there.put(tmp_path / "none", f"{far}/file")


def test_a_target_here_that_cannot_be_written(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """Trouble with this machine's disk is not blamed on the cluster."""
    (far / "file").write_bytes(b"x")
    with pytest.raises(TransferFailed, match="cannot be written on this machine"):
        there.get(manifest(far / "file", b"x"), tmp_path / "none" / "back")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can make a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_said_to_be_full(there: SshConnection, small_disk: Path) -> None:
    """SFTP itself says only "Failure"; the person learns that there is no space left."""
    with pytest.raises(TransferFailed, match="no space left on the cluster"):
        there.put(LARGE, f"{small_disk}/file")
    poll(lambda: not list(small_disk.iterdir()), "nothing of it is left")
    just_less = bytes(1024 * 1024 - 1)  # so small that nobody asks for the free space before
    there.put(just_less[: 600 * 1024], f"{small_disk}/first")
    with pytest.raises(TransferFailed, match="no space left on the cluster"):
        there.put(just_less, f"{small_disk}/second")
    poll(lambda: [path.name for path in small_disk.iterdir()] == ["first"], "nothing of it is left")


def test_a_full_disk_here_is_said_to_be_full(there: SshConnection, far: Path, small_disk: Path) -> None:
    """It is this machine's disk that is full; nothing half is left on it, and other files would not fit either."""
    (far / "file").write_bytes(LARGE)
    with pytest.raises(TransferStopped, match="cannot be written on this machine: No space left"):
        there.get(manifest(far / "file", LARGE), small_disk / "file")
    assert not any(small_disk.iterdir())
    small = bytes(400 * 1024)
    files = {small_disk / str(number): manifest(far / str(number), small) for number in range(4)}
    for number in range(4):
        (far / str(number)).write_bytes(small)
    with pytest.raises(TransferStopped, match="cannot be written on this machine: No space left"):
        there.get_many(files)
    assert {path.stat().st_size for path in small_disk.iterdir()} == {len(small)}


def test_a_forbidden_directory(there: SshConnection, far: Path) -> None:
    """Where the account may not write, that is said."""
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    far.chmod(0o500)
    with pytest.raises(TransferFailed, match=r"(?i)permission denied"):
        there.put(b"x", f"{far}/file")


def test_no_connection_is_held_up_by_an_abandoned_file(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """After a transfer that failed on this side, the same connection goes on working."""

    class Stop(Exception):
        pass

    def stop(_done: int, _total: int) -> None:
        raise Stop

    (far / "file").write_bytes(LARGE)
    with pytest.raises(Stop):
        there.get(manifest(far / "file", LARGE), tmp_path / "back", progress=stop)
    with pytest.raises(Stop):
        there.put(LARGE, f"{far}/other", progress=stop)
    there.put(b"next", f"{far}/next")
    assert there.read(f"{far}/next", 10) == b"next"
