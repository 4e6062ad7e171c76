"""Where the clusters of a grid come from: a sandbox in a folder, or containers (`demo.docker`)."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from project.sandbox import api as sandbox
from project.sandbox.settings import SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path, PurePath

    from project.sandbox.describe import SandboxInfo

_COMMAND_LIMIT_S = 60


class Login(Protocol):
    """How to reach a cluster."""

    @property
    def name(self) -> str:
        """The Slurm cluster's name."""

    @property
    def ssh_host(self) -> str:
        """Address of the login node."""

    @property
    def ssh_port(self) -> int:
        """Its port."""

    @property
    def ssh_user(self) -> str:
        """The account that logs in."""

    @property
    def ssh_key(self) -> Path:
        """A private key that opens it."""

    @property
    def host_keys(self) -> tuple[str, ...]:
        """Its public keys."""

    @property
    def job_root(self) -> PurePath:
        """The folder there in which Gridferry makes its own."""

    def ssh_command(self) -> str:
        """A line to paste in a shell: it logs in, or runs what is added to it."""

    def cluster_document(self) -> dict[str, Any]:
        """This cluster as the registry wants it, without a status."""


class Site(Protocol):
    """One cluster or more that can be started and stopped."""

    @property
    def registry_host(self) -> str:
        """The address of this machine under which both it and the clusters reach a registry."""

    @property
    def sshd_port(self) -> int:
        """The port the login node of the first cluster itself sees a login come to."""

    @property
    def lacks(self) -> Mapping[str, str]:
        """What a test may need and these clusters have not, with the reason."""

    def up(self, progress: Callable[[str, float], None]) -> Sequence[Login]:
        """Start the clusters; return how to reach each, the one most tests use first."""

    def down(self) -> None:
        """Stop them."""

    def run(self, argv: Sequence[str], *, as_user: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command on the first cluster's login node, as whoever administrates it or as the user."""

    def bring(self, folder: Path) -> str:
        """Make a folder of this machine available on the first cluster to the user; return its path there."""


@dataclass
class SandboxSite:
    """A sandbox.

    Attributes:
        folder: where it lies.
        options: what it shall be like.
        variables: further ones of the environment of commands that `run` is given.
        info: how to reach it, once it runs.
    """

    folder: Path
    options: SandboxOptions = field(default_factory=SandboxOptions)
    variables: Mapping[str, str] = field(default_factory=dict)
    info: SandboxInfo | None = field(default=None, init=False)
    registry_host: str = field(default="127.0.0.1", init=False)
    lacks: Mapping[str, str] = field(
        default_factory=lambda: {
            "several hosts": "one host cannot show it (make test-docker)",
            "nothing that runs containers": "the sandbox's Slurm has --container (make test-docker SUITE=bullseye)",
        },
        init=False,
    )

    @property
    def sshd_port(self) -> int:
        """The sandbox's sshd listens where the client connects to."""
        return self._running.ssh_port

    def up(self, progress: Callable[[str, float], None]) -> Sequence[Login]:
        """Start it."""
        self.info = sandbox.up(self.folder, options=self.options, progress=progress)
        return [self.info]

    def down(self) -> None:
        """Stop it."""
        sandbox.down(self.folder)

    def run(self, argv: Sequence[str], *, as_user: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command here, with the sandbox's Slurm; it has one account, which administrates and uses it."""
        del as_user
        environment = {**os.environ, "SLURM_CONF": str(self._running.slurm_conf), **self.variables}
        return subprocess.run(
            argv, env=environment, text=True, capture_output=True, check=False, timeout=_COMMAND_LIMIT_S
        )

    def bring(self, folder: Path) -> str:
        """It is there already: the sandbox runs on this machine, as this account."""
        return str(folder)

    @property
    def _running(self) -> SandboxInfo:
        assert self.info is not None  # noqa: S101 - a caller's mistake
        return self.info
