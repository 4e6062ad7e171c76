"""SFTP that sees other paths than the shell, or cannot be used at all."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.ssh.servers import find_sftp_server
from tests.contract.ssh.transfers import LARGE, manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.ssh.conftest import Caller
    from tests.contract.ssh.servers import SshServer


@pytest.mark.skipif(not find_sftp_server(), reason="sftp-server is not where distributions put it")
def test_noise_before_sftp(tmp_path: Path, caller: Caller, far: Path, start_server: Callable[..., SshServer]) -> None:
    """Start-up files that print something spoil SFTP, as they do for `sftp`; files then move through the shell."""
    noisy = tmp_path / "noisy"
    noisy.write_text('#!/bin/sh\necho "Welcome to the cluster"\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n')
    noisy.chmod(0o700)
    connection = caller.connect(start_server(f"ForceCommand {noisy}", sftp=f"{find_sftp_server()}"))
    connection.put(b"through noise", f"{far}/file")
    assert connection.read(f"{far}/file", 100) == b"through noise"


def test_where_sftp_is_known_to_be_missing_nobody_asks_for_it(caller: Caller, far: Path, server: SshServer) -> None:
    """What is known of a cluster spares the attempt; the file arrives all the same."""
    connection = caller.connect(server, has_sftp=False)
    connection.put(b"content", f"{far}/file")
    assert connection.read(f"{far}/file", 100) == b"content"
    assert (connection.streams_files, connection.transfers_by[:15]) == (True, "through a shell")


@pytest.fixture
def jail(tmp_path: Path) -> tuple[Path, str]:
    """A directory that SFTP is confined to, and the command that does so."""
    server = find_sftp_server()
    jail = tmp_path / "jail"
    for name, content in {"etc/passwd": f"me:x:{os.geteuid()}:{os.getegid()}::/:/bin/sh\n", "dev/null": ""}.items():
        (jail / name).parent.mkdir(parents=True)  # sftp-server looks itself up, and wants something to open
        (jail / name).write_text(content)
    enter = ["chroot"] if os.geteuid() == 0 else ["unshare", "-r", "chroot"]
    if not server or not _copy_program(Path(server), jail):
        pytest.skip("sftp-server cannot be copied with its libraries")
    trial = subprocess.run([*enter, jail, f"/{Path(server).name}"], check=False, stdin=subprocess.DEVNULL)
    if trial.returncode:
        pytest.skip("sftp-server does not start under a chroot here")
    return jail, " ".join([shutil.which(enter[0]) or enter[0], *enter[1:], str(jail), f"/{Path(server).name}"])


def _copy_program(program: Path, root: Path) -> bool:
    """Copy a program and its libraries to where they are found under another root."""
    libraries = subprocess.run(["ldd", program], check=False, capture_output=True, text=True).stdout.split()
    for library in {Path(word) for word in libraries if word.startswith("/")}:
        copy = root / library.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, copy)
    shutil.copy(program, root / program.name)
    return bool(libraries)


def test_sftp_under_a_chroot(
    jail: tuple[Path, str], tmp_path: Path, caller: Caller, start_server: Callable[..., SshServer]
) -> None:
    """SFTP calls the shell's /…/jail/home/me plain /home/me; that is found out once, and then known."""
    root, command = jail
    home = root / "home" / "me"
    (home / "deeper").mkdir(parents=True)
    connection = caller.connect(start_server(sftp=command))
    connection.put(LARGE, f"{home}/file")
    opened = connection.channels_opened
    connection.put(b"again", f"{home}/deeper/file")
    assert connection.read(f"{home}/deeper/file", 10) == b"again"
    assert connection.channels_opened == opened == 2
    connection.get(manifest(home / "file", LARGE), tmp_path / "back")
    assert (home / "file").read_bytes() == LARGE
    assert sorted(path.name for path in home.iterdir()) == ["deeper", "file"]


def test_a_place_that_sftp_cannot_see(
    jail: tuple[Path, str], far: Path, caller: Caller, start_server: Callable[..., SshServer]
) -> None:
    """Files outside of SFTP's confines move through the shell."""
    _, command = jail
    connection = caller.connect(start_server(sftp=command))
    connection.put(b"outside", f"{far}/file")
    assert connection.read(f"{far}/file", 10) == b"outside"
    assert [path.name for path in far.iterdir()] == ["file"]
