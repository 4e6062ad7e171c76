"""What a caller learns about a sandbox: how to reach it, and how it is."""

from __future__ import annotations

import enum
import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.messages import SCHEMA
from project.sandbox.provision import public_key, write_private

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from project.sandbox.layout import Layout
    from project.sandbox.machine import Machine
    from project.sandbox.settings import Settings


@dataclass(frozen=True)
class SandboxInfo:
    """How to reach a running sandbox.

    Attributes:
        folder: where it lies.
        name: the Slurm cluster's name.
        partition: the default partition.
        ssh_host: the login node, always 127.0.0.1.
        ssh_port: its SSH port.
        ssh_user: the only account that may log in.
        ssh_key: a private key, without passphrase, that may.
        known_hosts: a file with the host key, for `UserKnownHostsFile`.
        host_keys: the login node's public keys, `ssh-ed25519 AAAA...`.
        job_root: where Gridferry makes its jobs' folders.
        slurm_conf: for `SLURM_CONF`, to use Slurm's commands without SSH.
        already_running: `up` found it running and did nothing.
        recovered: `up` found it half dead, stopped the rest and started anew.
    """

    folder: Path
    name: str
    partition: str
    ssh_host: str
    ssh_port: int
    ssh_user: str
    ssh_key: Path
    known_hosts: Path
    host_keys: tuple[str, ...]
    job_root: Path
    slurm_conf: Path
    already_running: bool = False
    recovered: bool = False

    def ssh_command(self) -> str:
        """A line to paste in a shell: it logs in, or runs what is added to it."""
        return ssh_command(f"{self.ssh_user}@{self.ssh_host}", self.ssh_port, self.ssh_key, self.known_hosts)

    def cluster_document(self) -> dict[str, Any]:
        """This cluster as the registry wants it (docs/protocol.md), without a status."""
        return cluster_document(
            name=self.name,
            hostname=self.ssh_host,
            port=self.ssh_port,
            preferred_jobs=["mpi", "serial", "smp"],
            partition=self.partition,
            host_keys=self.host_keys,
            job_root=str(self.job_root),
        )


def ssh_command(destination: str, port: int, key: Path, known_hosts: Path) -> str:
    """Return a line to paste in a shell: it logs in with this key and no other."""
    options = [f"IdentityFile={key}", "IdentitiesOnly=yes", f"UserKnownHostsFile={known_hosts}"]
    words = [word for option in options for word in ("-o", option)]
    return shlex.join(["ssh", "-p", str(port), *words, destination])


def cluster_document(*, host_keys: Sequence[str], job_root: str = "", **values: Any) -> dict[str, Any]:
    """Return a cluster as the registry wants it (docs/protocol.md); what is not named is as usual."""
    return {
        "schema": SCHEMA,
        "workload_manager": "slurm",
        "host_keys": list(host_keys),
        "job_root": job_root,
        "python": "",
        "proxy_jump": "",
        "follow": "auto",
        "registry_url": "",
        "enabled": True,
        **values,
    }


class Condition(enum.StrEnum):
    """How a sandbox is as a whole."""

    RUNNING = "running"
    HALF_DEAD = "half dead"
    STOPPED = "stopped"
    ABSENT = "absent"


@dataclass(frozen=True)
class SandboxStatus:
    """How a sandbox is.

    Attributes:
        folder: where it lies, or would.
        condition: all daemons run; some do; none does; there is no sandbox in the folder.
        daemons: the pid of each daemon by name; None for one that does not run.
        nodes: the state of each compute node by name, in Slurm's words; empty when slurmctld does not answer.
        ports: the TCP port of each daemon that has one.
        info: how to reach it; None when there is no sandbox.
    """

    folder: Path
    condition: Condition
    daemons: dict[str, int | None]
    nodes: dict[str, str]
    ports: dict[str, int]
    info: SandboxInfo | None


def describe(layout: Layout, settings: Settings, machine: Machine) -> SandboxInfo:
    """How to reach the sandbox that lies in the folder."""
    return SandboxInfo(
        folder=layout.folder,
        name=settings.name,
        partition=settings.batch_partition,
        ssh_host="127.0.0.1",
        ssh_port=settings.ports["sshd"],
        ssh_user=machine.user,
        ssh_key=layout.user_key,
        known_hosts=layout.known_hosts,
        host_keys=(public_key(layout.host_key),),
        job_root=layout.home,
        slurm_conf=layout.slurm_conf,
    )


def write_cluster_document(layout: Layout, info: SandboxInfo) -> None:
    """Write the cluster document where others can find it."""
    write_private(layout.cluster, json.dumps(info.cluster_document(), indent=2) + "\n")
