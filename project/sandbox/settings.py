"""What a sandbox is made with: the options a caller gives, and the settings its folder keeps."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.core.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SCHEMA = 1


@dataclass(frozen=True)
class SandboxOptions:
    """What to make, as asked for. None: as the folder keeps it from last time, else the default of `Settings`.

    Attributes:
        name: the Slurm cluster's name; its nodes are called `<name>-1`, `<name>-2`, ...
        base_port: first of the consecutive TCP ports to use; chosen among free ones when not given.
        nodes: how many compute nodes.
        cpus: pretended CPUs per node.
        memory_mib: pretended memory per node.
        batch_partition: name of the default partition, which has no time limit.
        debug_partition: name of the partition with a short time limit.
        authorized_keys: public keys, one line each, that may log in besides the sandbox's own.
        slurm_lines: lines of slurm.conf, each instead of the sandbox's own with that parameter, if it has one.
        fresh: forget everything the folder keeps: settings, keys, accounting.
    """

    name: str | None = None
    base_port: int | None = None
    nodes: int | None = None
    cpus: int | None = None
    memory_mib: int | None = None
    batch_partition: str | None = None
    debug_partition: str | None = None
    authorized_keys: tuple[str, ...] | None = None
    slurm_lines: tuple[str, ...] | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Settings:
    """What a sandbox is made with, complete; the attributes mean what they mean in `SandboxOptions`."""

    name: str = "sandbox"
    base_port: int = 0
    nodes: int = 4
    cpus: int = 64
    memory_mib: int = 262_144
    batch_partition: str = "batch"
    debug_partition: str = "debug"
    authorized_keys: tuple[str, ...] = ()
    slurm_lines: tuple[str, ...] = ()

    @property
    def node_names(self) -> tuple[str, ...]:
        """The compute nodes' names: they carry the cluster's, so two clusters on one machine never share one."""
        return tuple(f"{self.name}-{number}" for number in range(1, self.nodes + 1))

    @property
    def ports(self) -> dict[str, int]:
        """The TCP port of each daemon that has one, consecutive from `base_port`."""
        daemons = ("sshd", "slurmctld", "slurmdbd", *(f"slurmd {node}" for node in self.node_names))
        return {daemon: self.base_port + offset for offset, daemon in enumerate(daemons)}


def resolve(options: SandboxOptions, kept: Settings | None) -> Settings:
    """The settings to start with: each as asked for, else as kept, else the default.

    Raises:
        SandboxError: an option has a value no sandbox can have, or the folder keeps another cluster.
    """
    asked = {field.name: getattr(options, field.name) for field in dataclasses.fields(Settings)}
    given = {name: value for name, value in asked.items() if value is not None}
    settings = dataclasses.replace(kept or Settings(), **given)
    for is_wrong, problem in _PROBLEMS:
        if is_wrong(settings):
            raise SandboxError(problem, "Give another value.")
    if kept and kept.name != settings.name:  # the database and slurmctld's state bear the name
        raise SandboxError(
            f"The folder holds the sandbox {kept.name}, not {settings.name}.",
            "Use another folder, or start afresh, which forgets the jobs of the other.",
        )
    return settings


_WORD = re.compile(r"[a-z][a-z0-9_-]{0,19}")
_SLURM_LINE = re.compile(r"[A-Za-z]+=\S[^\n]*")
_LISTS = ("authorized_keys", "slurm_lines")
_FIRST_UNPRIVILEGED_PORT = 1024
_LAST_PORT = 65535
_MOST_NODES = 64

_WORD_RULE = "starts with a lower-case letter and has at most 20 lower-case letters, digits, - and _"

_PROBLEMS: tuple[tuple[Callable[[Settings], bool], str], ...] = (
    (lambda s: not _WORD.fullmatch(s.name), f"The cluster's name {_WORD_RULE}."),
    (lambda s: not _WORD.fullmatch(s.batch_partition), f"A partition's name {_WORD_RULE}."),
    (lambda s: not _WORD.fullmatch(s.debug_partition), f"A partition's name {_WORD_RULE}."),
    (lambda s: s.batch_partition == s.debug_partition, "The two partitions need different names."),
    (lambda s: not 1 <= s.nodes <= _MOST_NODES, f"A sandbox has 1 to {_MOST_NODES} nodes."),
    (lambda s: s.cpus < 1, "A node needs at least one CPU."),
    (lambda s: s.memory_mib < 1, "A node needs memory."),
    (
        lambda s: s.base_port != 0 and not _FIRST_UNPRIVILEGED_PORT <= s.base_port <= _LAST_PORT + 1 - len(s.ports),
        f"All ports must lie between {_FIRST_UNPRIVILEGED_PORT} and {_LAST_PORT}.",
    ),
    (lambda s: any("\n" in key for key in s.authorized_keys), "An authorized key is one line."),
    (
        lambda s: not all(map(_SLURM_LINE.fullmatch, s.slurm_lines)),
        "A line of slurm.conf has the form Parameter=value.",
    ),
)


def save(settings: Settings, path: Path) -> None:
    """Write the settings to `path`."""
    path.write_text(json.dumps({"schema": _SCHEMA, **dataclasses.asdict(settings)}, indent=2) + "\n")


def are_kept(path: Path) -> bool:
    """Whether settings are kept in `path`.

    Raises:
        SandboxError: the folder is somebody else's.
    """
    try:
        return path.exists()
    except PermissionError:
        raise SandboxError(f"You may not look into {path.parent}.", "Use a folder of your own.") from None


def load(path: Path) -> Settings | None:
    """The settings kept in `path`; None when there is no such file.

    Raises:
        SandboxError: the file is there and cannot be understood, or the folder is somebody else's.
    """
    if not are_kept(path):
        return None
    try:
        document = json.loads(path.read_text())
        del document["schema"]
        return Settings(**document | {name: tuple(document.get(name, ())) for name in _LISTS})
    except (KeyError, TypeError, ValueError) as error:
        raise SandboxError(
            f"{path} is not what a sandbox writes there ({error}).", "Remove the folder and start anew."
        ) from error
