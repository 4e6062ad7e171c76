"""The rig: a grid of its own, near or as if far away, one small job, and three ways to submit it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bench.rounds import Contender
from demo.docker.engine import find_engine
from demo.docker.site import DockerSite
from demo.grid import MAIL, Grid
from demo.relay import Relay
from project.core.errors import GridferryError
from project.core.layout import FOLDER, ClusterPaths

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parent.parent
_LIMIT_S = 120.0
_LOOK_EVERY_S = 0.1
_COMMAND = "wc -l numbers.txt"
_JOB_SCRIPT = f"#!/bin/bash\n#SBATCH --time=10 --mem=100M\n{_COMMAND}\n"
_DATA = "".join(f"{number}\n" for number in range(500))
#: All that OpenSSH and our client are told; everything else is OpenSSH's default.
_SSH_CONFIG = """\
Host {info.ssh_host}
    Port {port}
    User {info.ssh_user}
    IdentityFile {info.ssh_key}
    IdentitiesOnly yes
    UserKnownHostsFile {known_hosts}
"""
#: Says whatever is still going on: jobs the follower has work with, jobs in the queue, processes of the wrapper (this
#: one is none: its own command line does not match the pattern).
_AT_WORK = (
    'ls -A "$1"/control/active 2> /dev/null; squeue --noheader; '
    'grep -ls "$1/[c]ontrol/[^ ]*pyz" /proc/[0-9]*/cmdline; true'
)


@dataclass(frozen=True)
class Rig:
    """A running grid and the job to submit.

    Attributes:
        grid: Slurm, registry, account and token.
        folder: for what we write.
        ssh_port: where clients connect to.
    """

    grid: Grid
    folder: Path
    ssh_port: int

    @property
    def ssh_config(self) -> Path:
        """The configuration that OpenSSH and our client both use."""
        return self.folder / "ssh_config"

    @property
    def job_file(self) -> Path:
        """Our job file; a file job, one line of execution, no modules."""
        return self.folder / "package" / "job.yml"

    @property
    def cluster_paths(self) -> ClusterPaths:
        """Where Gridferry works on the cluster."""
        return ClusterPaths(f"{self.grid.info.job_root}/{FOLDER}")

    @property
    def environment(self) -> dict[str, str]:
        """What commands run with: of Gridferry, nothing but this grid."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("GRIDFERRY_")}
        return {**own, **self.grid.client_variables, "GRIDFERRY_SSH_CONFIG": str(self.ssh_config)}

    @property
    def slurm_version(self) -> str:
        """What the cluster says of itself."""
        return self._said("sbatch", "--version").split()[-1]

    def submissions(self) -> dict[str, Contender]:
        """Return the three ways to submit, each from the command to the Slurm job id."""
        return {
            "ours": self.client("-u", str(self.job_file), "--no-input", answer="Slurm job [0-9]+"),
            "scp + ssh": self.openssh(
                "scp -q -r -F {config} {package} {host}:{target} && "
                "ssh -F {config} {host} 'cd {target} && sbatch --parsable job.sh'"
            ),
            "open connection": self.openssh(
                "tar c -C {package} . | ssh -F {config} -S {socket} {host} "
                "'mkdir {target} && cd {target} && tar x && sbatch --parsable job.sh'"
            ),
        }

    def starts(self) -> dict[str, Contender]:
        """Return our shortest command and Python's."""
        return {
            "--help": self.client("--help", answer=None),
            "pass": Contender(lambda _: [sys.executable, "-c", "pass"], None, self.environment, _ROOT),
        }

    def client(self, *arguments: str, answer: str | None, **variables: str) -> Contender:
        """Return a start of our client, with these variables besides."""
        argv = self.grid.client_argv(*arguments)
        return Contender(lambda _: argv, answer, {**self.environment, **variables}, _ROOT)

    def openssh(self, line: str, answer: str | None = "^[0-9]+$", **more: object) -> Contender:
        """Return a line of shell; each start of it has a folder of its own on the cluster, `{target}`, to make.

        Args:
            line: with {config}, {host}, {package}, {socket}, {client}, {target}, {here} (a folder of its own here,
                which is there) and the names in `more`, all of them quoted.
            answer: see Contender.
            more: further words.
        """
        there = Path(self._said("mktemp", "-d", "-p", str(self.grid.info.job_root)))
        words = {
            "config": self.ssh_config,
            "package": self.job_file.parent,
            "host": self.grid.info.ssh_host,
            "socket": self.folder / "master",
            "client": Words(self.grid.client_argv()),
            **more,
        }

        def argv(number: int) -> list[str]:
            here = Path(tempfile.mkdtemp(dir=self.folder))
            filled = {**words, "target": there / str(number), "here": here}
            return ["sh", "-c", line.format(**{name: _quoted(word) for name, word in filled.items()})]

        return Contender(argv, answer, self.environment, _ROOT)

    def write_job(self, folder: Path, **keys: object) -> Path:
        """Write a job file for this grid; return its path."""
        info = self.grid.info
        job = {
            "username": info.ssh_user,
            "private_key": str(info.ssh_key),
            "user_mail": MAIL,
            "destination_cluster": info.name,
            "resources": {"duration": "10m", "memory_per_thread": "100M"},
            **keys,
        }
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "job.yml"
        path.write_text(yaml.safe_dump(job))
        return path

    def settle(self) -> None:
        """Return when no job is in the queue and the follower has reported everything and ended.

        Raises:
            GridferryError: that does not come about.
        """
        deadline = time.monotonic() + _LIMIT_S
        while time.monotonic() < deadline:
            if not self._said("sh", "-c", _AT_WORK, "sh", self.cluster_paths.root):
                return
            time.sleep(_LOOK_EVERY_S)
        raise GridferryError(f"the grid does not come to rest; look at {self.cluster_paths.follower}/log")

    def _said(self, *argv: str) -> str:
        """Return what a command prints on the cluster."""
        done = self.grid.site.run(argv, as_user=True)
        if done.returncode:
            raise GridferryError(f"{argv[0]} failed on the cluster", detail=done.stderr)
        return done.stdout.strip()


class Words(tuple[str, ...]):
    """Several words of a line of shell."""

    __slots__ = ()


def _quoted(word: object) -> str:
    return shlex.join(word) if isinstance(word, Words) else shlex.quote(str(word))


def commands() -> dict[int, str]:
    """Return the command line of every process by its pid."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found[int(path.parent.name)] = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return found


@contextlib.contextmanager
def rig(suite: str = "", latency_s: float = 0.0) -> Iterator[Rig]:
    """Set up the rig; everything ends and nothing stays behind with the block.

    Args:
        suite: a Debian generation whose clusters in containers are taken instead of a sandbox.
        latency_s: how much longer than here an answer of the login node is under way.
    """
    folder = Path(tempfile.mkdtemp(prefix="gf-", dir="/tmp"))  # short, since sockets lie in it
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        grid = Grid(folder / "grid", _containers(folder, suite, stack) if suite else None)
        stack.callback(grid.stop)
        grid.start()
        port = grid.info.ssh_port
        if latency_s:
            port = stack.enter_context(Relay(target=(grid.info.ssh_host, port), delay_s=latency_s).started())
        made = Rig(grid, folder, port)
        _write_files(made)
        stack.enter_context(_open_connection(made))
        yield made


def _containers(folder: Path, suite: str, stack: contextlib.ExitStack) -> DockerSite:
    engine = find_engine()
    stack.callback(engine.stop)
    return DockerSite(engine, folder / "ssh", suite, f"{folder.name}-bench".lower(), nodes=1)


def _write_files(made: Rig) -> None:
    """Write the job for all three ways: the job file for us, the job script for the others, and its data."""
    info = made.grid.info
    trust(made, made.ssh_port)
    Path(made.grid.client_variables["GRIDFERRY_SETTINGS"]).write_text(port_settings(made, made.ssh_port))
    known_hosts = made.grid.home / "known_hosts"
    made.ssh_config.write_text(_SSH_CONFIG.format(info=info, port=made.ssh_port, known_hosts=known_hosts))
    made.write_job(made.job_file.parent, job="numbers.txt", execution=[_COMMAND])
    made.job_file.with_name("job.sh").write_text(_JOB_SCRIPT)
    made.job_file.with_name("numbers.txt").write_text(_DATA)


def trust(made: Rig, port: int) -> None:
    """Let clients know the host key at this port."""
    info = made.grid.info
    with (made.grid.home / "known_hosts").open("a") as known:
        known.writelines(f"[{info.ssh_host}]:{port} {key}\n" for key in info.host_keys)


def port_settings(made: Rig, port: int) -> str:
    """Return the text of settings by which our client goes to this port."""
    return f"clusters: {{{made.grid.info.name}: {{port: {port}}}}}\n"


@contextlib.contextmanager
def _open_connection(made: Rig) -> Iterator[None]:
    """Hold a connection of OpenSSH open for others to share (ControlMaster of ssh_config(5))."""
    socket = made.folder / "master"
    argv = ["ssh", "-F", str(made.ssh_config), "-M", "-N", "-S", str(socket), made.grid.info.ssh_host]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as master:
        try:
            deadline = time.monotonic() + _LIMIT_S
            while not socket.exists() and master.poll() is None and time.monotonic() < deadline:
                time.sleep(_LOOK_EVERY_S)
            yield
        finally:
            master.terminate()
