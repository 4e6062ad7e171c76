"""The grid that chaos comes over: all real, with a gate before the login node and moody programs of Slurm on it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from demo.grid import Grid
from project.core.layout import ClusterPaths
from project.sandbox.layout import Layout
from tests.chaos.slurm_programs import SlurmPrograms
from tests.contract.ssh.gate import Gate
from tests.faults.daemons import Daemons

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[2]
_ANSWER_LIMIT_S = 20
#: So that mails go out without a limit, and those a killed registry had claimed soon after its return.
_REGISTRY = {"GRIDFERRY_API_MAIL_LEASE_S": "20"}


class World:
    """A running grid and what can be broken about it.

    Args:
        grid: it runs.
        gate: before the login node.
        programs: of Slurm, as logins find them.

    Attributes:
        registry_kills: how often the registry was killed.
        mail_ends: how often the mail server was.
    """

    def __init__(self, grid: Grid, gate: Gate, programs: SlurmPrograms) -> None:
        self.grid = grid
        self.gate = gate
        self.programs = programs
        self.daemons = Daemons(grid.sandbox.folder)
        self.registry_kills = 0
        self.mail_ends = 0
        for folder in (self.starts, self.jobs, self.results):
            folder.mkdir()

    @property
    def starts(self) -> Path:
        """Where the jobs log their starts, a file for each submission."""
        return self.grid.folder / "starts"

    @property
    def jobs(self) -> Path:
        """Where the job files lie, each in a folder of its own."""
        return self.grid.folder / "jobs"

    @property
    def results(self) -> Path:
        """Where results go, by UUID."""
        return self.grid.folder / "results"

    @property
    def far_paths(self) -> ClusterPaths:
        """Gridferry's folder on the cluster."""
        return ClusterPaths(str(Path(self.grid.info.job_root) / "gridferry"))

    def next_number(self) -> int:
        """Return the number that the next submission bears."""
        return len(list(self.jobs.iterdir())) + 1

    def kill_registry(self) -> None:
        """Kill the registry and its workers."""
        assert self.grid.registry is not None
        self.registry_kills += 1
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.grid.registry.process.pid, signal.SIGKILL)
        self.grid.registry.process.wait()

    def end_mail(self) -> None:
        """End the mail server."""
        assert self.grid.smtp is not None
        self.mail_ends += 1
        self.grid.smtp.stop(signal.SIGKILL)

    def records(self) -> list[dict[str, Any]]:
        """Return what the client has on record, the oldest first."""
        found = [json.loads(path.read_text()) for path in (self.grid.home / "jobs").glob("*.json")]
        return sorted(found, key=lambda record: str(record["created_at"]))

    def registry_job(self, job_uuid: str) -> dict[str, Any]:
        """Return the registry's document of a job, {} for one that it does not know."""
        url = f"{self.grid.registry_url}/jobs/{job_uuid}"
        headers = {"Authorization": f"Bearer {self.grid.token}"}
        answer = requests.get(url, headers=headers, timeout=_ANSWER_LIMIT_S)
        return dict(answer.json()) if job_uuid and answer.ok else {}

    def mails_due(self) -> int:
        """Return how many mails the registry still has to send."""
        return int(requests.get(f"{self.grid.registry_url}/health", timeout=_ANSWER_LIMIT_S).json()["mail"]["due"])

    def is_active(self, job_uuid: str) -> bool:
        """Whether the cluster still has work with a job."""
        return Path(self.far_paths.active, job_uuid).exists()

    def start_client(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the client as a user would."""
        environment = {**os.environ, "PYTHONPATH": str(_ROOT), **self.grid.client_variables}
        return subprocess.Popen(
            self.grid.client_argv(*arguments),
            cwd=self.grid.folder,
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @contextlib.contextmanager
    def stood_still(self, pid: int) -> Iterator[None]:
        """Let a process stand still during the block."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def far_processes(self, *commands: str) -> list[int]:
        """Return the pids of the wrapper's processes that logins have left, only those that do such a command."""
        return [pid for pid, words in self._far_commands() if not commands or set(words) & set(commands)]

    def _far_commands(self) -> Iterator[tuple[int, list[str]]]:
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError, UnicodeDecodeError):
                if process.name.isdigit():
                    words = (process / "cmdline").read_text().split("\0")
                    of_slurm = b"SLURM_JOB_ID=" in (process / "environ").read_bytes()
                    if not of_slurm and any(self._is_ours(word) for word in words):
                        yield int(process.name), words

    def _is_ours(self, word: str) -> bool:
        return word.startswith(self.far_paths.root) and word.endswith(".pyz")


@contextlib.contextmanager
def running_world(folder: Path) -> Iterator[World]:
    """Start a grid in a short new folder; it ends with the block."""
    grid = Grid(folder, registry_settings=_REGISTRY)
    grid.start()
    try:
        programs = SlurmPrograms(folder / "programs")
        _let_logins_find(grid, programs)
        with Gate(grid.info.ssh_port).open() as gate:
            grid.register(grid.info, port=gate.port)
            known = "".join(f"[{grid.info.ssh_host}]:{gate.port} {key}\n" for key in grid.info.host_keys)
            with (grid.home / "known_hosts").open("a") as stream:
                stream.write(known)
            yield World(grid, gate, programs)
    finally:
        grid.stop()


def _let_logins_find(grid: Grid, programs: SlurmPrograms) -> None:
    """Put the programs first on every login's PATH, and have logins and jobs begin without this machine's own files.

    A shell's start-up files may take a lock for all logins of the machine (`pyenv init` does, and waits a minute for
    it): whoever is killed in the middle of them, as is done here all the time, leaves it behind.
    """
    layout = Layout.at(grid.sandbox.folder)
    configuration = layout.etc / "sshd_config"
    text = configuration.read_text()
    path = f"{programs.folder}:/usr/local/bin:/usr/bin:/bin"
    configuration.write_text(text.replace("SetEnv ", f"SetEnv HOME={layout.home} PATH={path} ", 1))
    daemons = Daemons(grid.sandbox.folder)
    daemons.end("sshd")
    daemons.start("sshd")
