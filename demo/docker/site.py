"""The two clusters of slurm-docker/ as a site: up, down, and what tests do to them."""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from demo.docker.engine import EngineError
from demo.docker.images import FOLDER, GENERATIONS, build_slurm
from project.sandbox.describe import cluster_document, ssh_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from demo.docker.engine import Engine

USER = "ada"
OTHER_USER = "bob"
_PREFERRED_JOBS = {"lemaitre3": ["mpi"], "nic5": ["serial", "smp"]}
_UP_LIMIT_S = 300.0
_READY_LIMIT_S = 240.0
_FIRST_WITH_BUNDLES = "22.05"  # Slurm 21.08 brought --container


@dataclass(frozen=True)
class DockerLogin:
    """How to reach one cluster."""

    name: str
    ssh_port: int
    ssh_key: Path
    host_keys: tuple[str, ...]
    ssh_user: str = USER
    ssh_host: str = "127.0.0.1"

    @property
    def job_root(self) -> PurePosixPath:
        """The user's home."""
        return PurePosixPath("/home") / self.ssh_user

    def ssh_command(self) -> str:
        """A line to paste in a shell: it logs in, or runs what is added to it."""
        known = self.ssh_key.with_name("known_hosts")
        return ssh_command(f"{self.ssh_user}@{self.ssh_host}", self.ssh_port, self.ssh_key, known)

    def cluster_document(self) -> dict[str, Any]:
        """This cluster as the registry wants it; what is left out is as usual (docs/protocol.md)."""
        return cluster_document(
            name=self.name,
            hostname=self.ssh_host,
            port=self.ssh_port,
            preferred_jobs=_PREFERRED_JOBS[self.name],
            partition="batch",
            host_keys=self.host_keys,
        )


@dataclass
class DockerSite:
    """Two clusters in containers.

    Attributes:
        engine: which runs them.
        folder: where the key lies that opens their login nodes.
        suite: the Debian generation.
        project: name of the whole for compose.
        nodes: compute nodes of each cluster.
        ports: SSH port of each login node; free ones unless given.
        node_timeout_s: when a node that does not answer counts as down.
        slurm_lines: more lines for both slurm.conf.
        logins: how to reach each, once they run.
    """

    engine: Engine
    folder: Path
    suite: str = "bookworm"
    project: str = "gridferry"
    nodes: int = 4
    ports: Mapping[str, int] = field(default_factory=dict)
    node_timeout_s: int = 60
    slurm_lines: Sequence[str] = ()
    logins: Sequence[DockerLogin] = field(default=(), init=False)
    sshd_port: int = field(default=22, init=False)

    @property
    def lacks(self) -> Mapping[str, str]:
        """What these clusters have not."""
        slurm = GENERATIONS[self.suite]
        missing = {
            "sandbox": "is about the sandbox",
            "shared disk": "the clusters share no disk with this machine",
        }
        if not Path("/sys/fs/cgroup/memory").is_dir():
            missing["memory limits"] = "memory limits in containers need cgroup version 1 here"
        if slurm < _FIRST_WITH_BUNDLES:
            missing["--container"] = f"Slurm {slurm} has no --container, and Debian {self.suite} no Apptainer"
        else:
            missing["nothing that runs containers"] = f"Slurm {slurm} has --container"
        return missing

    @functools.cached_property
    def registry_host(self) -> str:
        """This machine's address as the containers know it (`host-gateway`), which this machine knows, too."""
        return self.run(["getent", "ahostsv4", "host.docker.internal"]).stdout.split()[0]

    @property
    def gateway(self) -> str:
        """This machine's address in the network of the first cluster."""
        wanted = "--format={{(index .IPAM.Config 0).Gateway}}"
        return self.engine.docker("network", "inspect", wanted, f"{self.project}_lemaitre3")

    def up(self, progress: Callable[[str, float], None]) -> Sequence[DockerLogin]:
        """Make what is missing and start everything; return once all nodes are idle.

        Raises:
            EngineError: something does not start; nothing of it stays behind.
        """
        started = time.monotonic()
        build_slurm(self.engine, self.suite)
        progress(f"image of Debian {self.suite}", time.monotonic() - started)
        started = time.monotonic()
        self.ports = self.ports or {name: _free_port() for name in _PREFERRED_JOBS}
        try:
            self.compose("up", "--detach", *self._scales(), limit_s=_UP_LIMIT_S)
            self.logins = [self._login(name) for name in _PREFERRED_JOBS]
            for login in self.logins:
                self.wait_until_idle(login.name)
        except BaseException:
            self.down()
            raise
        self._write_documents()
        progress(f"clusters {' and '.join(_PREFERRED_JOBS)}", time.monotonic() - started)
        return self.logins

    def down(self) -> None:
        """Stop and remove everything: containers, networks, volumes."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout=3")

    def run(
        self, argv: Sequence[str], *, as_user: bool = False, cluster: str = "lemaitre3"
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a login node, as root or as the user."""
        user = USER if as_user else "root"
        return self.engine.run(["docker", "exec", f"--user={user}", self.container(f"{cluster}-login"), *argv])

    def bring(self, folder: Path) -> str:
        """Copy a folder into the user's home."""
        target = f"/home/{USER}/{folder.name}"
        self.engine.docker("cp", str(folder), f"{self.container('lemaitre3-login')}:{target}")
        self.run(["chown", "-R", f"{USER}:", target])
        return target

    def compose(self, *arguments: str, limit_s: float = _UP_LIMIT_S) -> str:
        """Run compose; return what it prints.

        Raises:
            EngineError: it failed.
        """
        files = ["--project-name", self.project, "--file", str(FOLDER / "compose.yaml")]
        variables = {
            "SUITE": self.suite,
            "NODES": str(self.nodes),
            "NODE_TIMEOUT_S": str(self.node_timeout_s),
            "MORE_LINES": ";".join(self.slurm_lines),
            "AUTHORIZED_KEYS": self._key.with_suffix(".pub").read_text().strip(),
            **{f"{name.upper()}_PORT": str(port) for name, port in self.ports.items()},
        }
        return self.engine.checked([*self.engine.compose, *files, *arguments], limit_s=limit_s, **variables)

    def container(self, service: str, number: int = 1) -> str:
        """Return the id of a service's container.

        Raises:
            EngineError: there is none.
        """
        filters = [f"project={self.project}", f"service={service}", f"container-number={number}"]
        words = [f"--filter=label=com.docker.compose.{word}" for word in filters]
        found = self.engine.docker("ps", "--all", "--quiet", *words)
        if not found:
            raise EngineError(f"there is no container of {service} {number}")
        return found.split()[0]

    def wait_until_idle(self, cluster: str) -> None:
        """Return once all nodes of a cluster are idle.

        Raises:
            EngineError: they do not become so.
        """
        deadline = time.monotonic() + _READY_LIMIT_S
        which = ["--partition=batch", f"--nodes={cluster}-[1-{self.nodes}]"]
        while True:
            sinfo = self.run(["sinfo", "--noheader", "--Node", *which, "--format=%T"], cluster=cluster)
            if sinfo.stdout.split() == ["idle"] * self.nodes:
                return
            if time.monotonic() > deadline:
                raise EngineError(f"the nodes of {cluster} do not become idle", detail=sinfo.stdout + sinfo.stderr)
            time.sleep(0.5)

    def known(self) -> list[DockerLogin]:
        """Return the clusters that an earlier `up` left word of."""
        documents = [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))]
        return [DockerLogin(d["name"], d["port"], self._key, tuple(d["host_keys"])) for d in documents]

    def _write_documents(self) -> None:
        """Leave what a client and an administrator of a registry want to know of these clusters."""
        lines = []
        for login in self.logins:
            document = json.dumps(login.cluster_document(), indent=2)
            (self.folder / f"{login.name}.json").write_text(document + "\n")
            lines += [f"[{login.ssh_host}]:{login.ssh_port} {key}\n" for key in login.host_keys]
        (self.folder / "known_hosts").write_text("".join(lines))

    def _login(self, cluster: str) -> DockerLogin:
        deadline = time.monotonic() + _READY_LIMIT_S
        while time.monotonic() < deadline:
            done = self.run(["cat", "/etc/ssh/hostkeys/ed25519.pub"], cluster=cluster)
            if done.returncode == 0:
                key = " ".join(done.stdout.split()[:2])
                return DockerLogin(cluster, self.ports[cluster], self._key, (key,))
            time.sleep(0.3)
        raise EngineError(f"the login node of {cluster} does not come up", detail=done.stderr)

    def _scales(self) -> list[str]:
        return [f"--scale={name}-node={self.nodes}" for name in _PREFERRED_JOBS]

    @functools.cached_property
    def _key(self) -> Path:
        key = self.folder / "id_ed25519"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not key.exists():
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "gridferry", "-f", str(key)]
            subprocess.run(argv, check=True)
        return key


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
