"""What is refused before a sandbox is touched, and what the remedy is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from project.core.errors import SandboxError
from project.sandbox import machine, preflight
from project.sandbox.layout import Layout
from project.sandbox.settings import Settings


def test_missing_packages_are_named_with_the_one_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On a bare machine the remedy is one line to paste."""
    monkeypatch.setattr(machine, "PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="mariadb-server-core, openssh-server") as caught:
        preflight.check_machine()
    packages = "slurmctld slurmd slurm-client slurmdbd munge mariadb-server-core openssh-server"
    assert caught.value.remedy.endswith(f"apt-get install -y --no-install-recommends {packages}")
    assert ("sudo" in caught.value.remedy) == (os.getuid() != 0)


def test_a_path_everybody_may_write_in_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without the sticky bit, anybody could put another folder in the sandbox's place."""
    public = tmp_path_factory.mktemp("public")
    public.chmod(0o777)
    with pytest.raises(SandboxError, match="Everybody may write"):
        preflight.check_folder(Layout(public / "sb"), Settings())
    public.chmod(0o1777)
    preflight.check_folder(Layout(public / "sb"), Settings())


def test_a_path_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """The owner of a directory above could replace what is below."""
    if os.getuid() != 0:
        pytest.skip("only root can give a directory away")
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(SandboxError, match="belongs to user id 65534"):
        preflight.check_folder(Layout(tmp_path / "sb"), Settings())


@pytest.mark.parametrize("name", ["with space", "per%cent", "quo'te", "has#h"])
def test_characters_configuration_files_cannot_take_are_refused(tmp_path: Path, name: str) -> None:
    """A path that would be cut or expanded somewhere is refused at the door."""
    with pytest.raises(SandboxError, match="characters"):
        preflight.check_folder(Layout(tmp_path / name), Settings())


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A file where the sandbox should be is told as such."""
    (tmp_path / "sb").touch()
    with pytest.raises(SandboxError, match="is not a folder"):
        preflight.check_folder(Layout(tmp_path / "sb"), Settings())


def test_a_folder_one_may_not_write_in_is_refused() -> None:
    """The kernel's own folder takes no sandbox from anybody."""
    with pytest.raises(SandboxError, match=r"may not write|holds other things"):
        preflight.check_folder(Layout(Path("/proc/sys")), Settings())
