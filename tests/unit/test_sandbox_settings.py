"""The sandbox's settings: what is asked for, what is kept, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import SandboxError
from project.sandbox.settings import SandboxOptions, Settings, load, resolve, save

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_asked_and_nothing_kept_gives_the_defaults() -> None:
    """A newcomer's sandbox has four big nodes."""
    assert resolve(SandboxOptions(), None) == Settings()
    assert Settings().node_names == ("sandbox-1", "sandbox-2", "sandbox-3", "sandbox-4")


def test_what_is_asked_for_wins_over_what_is_kept() -> None:
    """Each setting is as asked for, else as kept."""
    kept = Settings(base_port=23000, nodes=2, cpus=8)
    assert resolve(SandboxOptions(nodes=3), kept) == Settings(base_port=23000, nodes=3, cpus=8)


def test_settings_survive_the_disk(tmp_path: Path) -> None:
    """What is saved is what is loaded."""
    settings = Settings(
        name="lab", base_port=23000, authorized_keys=("ssh-ed25519 AAAA me",), slurm_lines=("MinJobAge=2",)
    )
    save(settings, tmp_path / "sandbox.json")
    assert load(tmp_path / "sandbox.json") == settings


def test_no_file_means_nothing_kept(tmp_path: Path) -> None:
    """A folder without settings is no sandbox."""
    assert load(tmp_path / "sandbox.json") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1, "authorized_keys": [], "colour": "red"}'])
def test_a_damaged_file_is_told(tmp_path: Path, text: str) -> None:
    """Settings nobody can understand are an error that names the file."""
    (tmp_path / "sandbox.json").write_text(text)
    with pytest.raises(SandboxError, match=r"sandbox\.json"):
        load(tmp_path / "sandbox.json")


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"name": "Big Iron"}, "name"),
        ({"name": "x" * 21}, "name"),
        ({"batch_partition": "a,b"}, "partition"),
        ({"debug_partition": "batch"}, "different names"),
        ({"nodes": 0}, "nodes"),
        ({"cpus": 0}, "CPU"),
        ({"memory_mib": 0}, "memory"),
        ({"base_port": 80}, "ports"),
        ({"base_port": 65530}, "ports"),
        ({"authorized_keys": ("one\ntwo",)}, "one line"),
        ({"slurm_lines": ("MinJobAge 2",)}, "Parameter=value"),
        ({"slurm_lines": ("MinJobAge=2\nSlurmUser=x",)}, "Parameter=value"),
    ],
)
def test_impossible_values_are_refused(asked: dict[str, Any], complaint: str) -> None:
    """A value no sandbox can have is an error that says what is wrong."""
    with pytest.raises(SandboxError, match=complaint):
        resolve(SandboxOptions(**asked), None)


def test_another_cluster_does_not_take_over_the_folder() -> None:
    """A folder keeps the accounting of one cluster; another name is refused."""
    with pytest.raises(SandboxError, match="holds the sandbox sandbox, not other"):
        resolve(SandboxOptions(name="other"), Settings())


def test_ports_are_consecutive_and_ssh_comes_first() -> None:
    """The first port is the one people type."""
    ports = Settings(base_port=23000, nodes=2).ports
    assert ports["sshd"] == 23000
    assert sorted(ports.values()) == list(range(23000, 23005))
