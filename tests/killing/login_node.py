"""A login node on which the wrapper runs as on a cluster, each command a process, and dies where a test says."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from project.adapters.archive import WRAPPER, Archive
from project.adapters.source import build_parcel
from project.core.layout import ClusterPaths
from project.core.messages import LINE_PREFIX
from project.core.module_steps import ModuleStep, to_documents
from project.wrapper.clock import Clock
from project.wrapper.compiled import keep_compiled
from project.wrapper.job import SUBMISSION, Job, open_job
from project.wrapper.launcher import compiled_path
from project.wrapper.lease import STALE_AFTER_S
from tests.contract.processes import poll

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.contract.registry_process import RegistryProcess

_LAUNCHER = Path(__file__).with_name("launcher.py")
_PROGRAM = "wrapper-0123456789ab.pyz"
_LIMIT_S = 300.0

_MODULES = [
    ModuleStep("preprocessing", 1, "before.sh", "cat -u #"),
    ModuleStep("postprocessing", 1, "after.sh", "cat #", when="always"),
]
_JOB = {
    "username": "x",
    "user_mail": "ann@example.org",
    "destination_cluster": "x",
    "requirements": [": required"],
    "compilation": [": compiled"],
    "execution": ["echo $SLURM_JOB_ID >> starts.txt"],
    "resources": {"duration": "5m", "memory_per_thread": "50M"},
    "notify": "none",
}


class Step(NamedTuple):
    """A step of one of the wrapper's commands, as the launcher names it."""

    command: str
    name: str


class Kill(NamedTuple):
    """Where a process dies: `before`, `during` or `after` a step."""

    step: Step
    moment: str


@cache
def _program() -> tuple[bytes, bytes]:
    """The real archive, but for its launcher, and the same compiled, as the first follower on a cluster leaves it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, _PROGRAM)
        with (
            zipfile.ZipFile(io.BytesIO(Archive(path.parent, WRAPPER).content)) as real,
            zipfile.ZipFile(path, "w") as ours,
        ):
            for name in real.namelist():
                ours.writestr("real_main.py" if name == "__main__.py" else name, real.read(name))
            ours.write(_LAUNCHER, "__main__.py")
        keep_compiled(str(path))
        return path.read_bytes(), Path(compiled_path(str(path))).read_bytes()


class LoginNode:
    """A login node, its disk, and one job on it that goes every way there is.

    Args:
        folder: where its disk is.
        registry: hears of the job.
        environment: of its logins.
        is_new: whether no follower has been here before.
        plan: what holds for all commands; see launcher.py.
    """

    def __init__(
        self,
        folder: Path,
        registry: RegistryProcess,
        environment: Mapping[str, str],
        *,
        is_new: bool = False,
        **plan: Any,
    ) -> None:
        self.paths = ClusterPaths(str(folder / "gridferry"))
        self._registry = registry
        self._environment = environment
        self._plan = plan
        self.job_uuid = str(uuid.uuid4())
        self.job_paths = self.paths.job(self.job_uuid)
        self._control = Path(self.paths.control)
        for path in (self.paths.active, self.paths.follower, self.job_paths.work, self.job_paths.control):
            Path(path).mkdir(parents=True)
        self._program = self._control / _PROGRAM
        plain, compiled = _program()
        self._program.write_bytes(plain)
        if not is_new:
            Path(compiled_path(str(self._program))).write_bytes(compiled)

    def bring_job(self, *, source: dict[str, str] | None = None, follow: str = "daemon", **keys: Any) -> None:
        """Upload a job that goes every way there is, as the client does before it launches the wrapper."""
        modules = self._control.parent / "modules"
        modules.mkdir()
        for step in _MODULES:
            (modules / step.module).write_text("# its command line says it all\n")
        user_input = {**_JOB, **keys}
        cluster = {"name": f"c-{self.job_uuid[:8]}", "follow": follow}
        spec = {
            "schema": 1, "job_uuid": self.job_uuid, "user_input": user_input, "cluster": cluster,
            "modules": to_documents(_MODULES), "source": source,
        }  # fmt: skip
        build_parcel(Path(self.job_paths.parcel), spec=spec, modules=modules.iterdir(), directory=None)
        self._registry.put_cluster(cluster["name"])
        body = {"user_input": user_input, "destination_cluster": cluster["name"]}
        answer = self._registry.call("POST", f"/jobs/{self.job_uuid}", body)
        assert answer.status_code == 201, answer.text
        credentials = {"cluster": cluster["name"], "url": self._registry.url, "token": self._registry.tokens["ann"]}
        Path(self.paths.registry("")).write_text(json.dumps(credentials))

    def command(self, command: str, *words: str, kill: Kill | None = None, **plan: Any) -> Answer:
        """Run one of the wrapper's commands to its end; with `kill`, say whether it came to that."""
        with self._start(command, *words, kill=kill, **plan) as process:
            printed, errors = process.communicate(timeout=_LIMIT_S)
        done = self._control / "plan.json.done"
        was_killed = done.exists()
        done.unlink(missing_ok=True)
        events = [
            json.loads(line[len(LINE_PREFIX) :]) for line in printed.splitlines() if line.startswith(LINE_PREFIX)
        ]
        return Answer(process.returncode, events, errors, was_killed)

    def _start(self, command: str, *words: str, kill: Kill | None, **plan: Any) -> subprocess.Popen[str]:
        dies = {"kill": [*kill.step, kill.moment]} if kill else {}
        (self._control / "plan.json").write_text(json.dumps({**self._plan, **dies, **plan}))
        argv = [sys.executable, "-I", "-S", str(self._program), command, *words]
        return subprocess.Popen(
            argv, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    @contextlib.contextmanager
    def standing_still(self, at: Kill) -> Iterator[bool]:
        """Let the process that does `at` stand still there during the block, silent for too long; then it goes on.

        Yields:
            Whether it came there at all.
        """
        words = [self.job_uuid] if at.step.command == "run" else []
        stopped, done = self._control / "stopped", self._control / "plan.json.done"
        with self._start(at.step.command, *words, kill=at, stop=True) as process:
            poll(lambda: stopped.exists() or process.poll() is not None, "it stands still or ends", _LIMIT_S)
            came_there = stopped.exists()
            if came_there:
                pid = int(poll(stopped.read_text, "its pid"))
                poll(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", "it stands")
                done.unlink()
                self._age_leases()
            try:
                yield came_there
            finally:
                if came_there:
                    os.kill(pid, signal.SIGCONT)
                process.communicate(timeout=_LIMIT_S)

    def _age_leases(self) -> None:
        """Let as much time pass for the leases as an owner may be silent."""
        for folder in (self.job_paths.lease, self.paths.follower):
            for path in Path(folder).glob("epoch-*"):
                os.utime(path, (time.time() - 2 * STALE_AFTER_S,) * 2)

    def run(self, **more: Any) -> Answer:
        """Take the job into the queue."""
        return self.command("run", self.job_uuid, **more)

    def run_from_two_hosts(self) -> list[int]:
        """Take the job into the queue from two login nodes at the same time; return how the two exit."""
        begun = Path(self._plan["record"])
        with self._start("run", self.job_uuid, kill=None) as first:
            poll(begun.exists, "the first is at work and has read its plan")
            with self._start("run", self.job_uuid, kill=None, host=["login2", "boot2"]) as second:
                for process in (first, second):
                    process.communicate(timeout=_LIMIT_S)
                return [first.returncode, second.returncode]

    def follow(self, **more: Any) -> Answer:
        """Follow it until nothing is left to do."""
        return self.command("follow", **more)

    @property
    def job(self) -> Job:
        """The job as it lies on disk."""
        return open_job(self.paths, self.job_uuid, Clock())

    @property
    def is_submitted(self) -> bool:
        """Whether it is in Slurm's queue, released and told."""
        return Path(self.job_paths.steps, SUBMISSION).exists()

    @property
    def is_active(self) -> bool:
        """Whether something is left to do for it."""
        return Path(self.paths.active, self.job_uuid).exists()

    def starts(self) -> list[str]:
        """The Slurm job ids under which the user's commands began, by their own log."""
        path = Path(self.job_paths.work) / "starts.txt"
        return path.read_text().split() if path.exists() else []

    def told(self) -> list[str]:
        """The states the registry has heard."""
        timeline = self._registry.job(self.job_uuid)["timeline"]
        return [event["body"]["state"] for event in timeline if event["kind"] == "state"]

    def entries_told(self) -> int:
        """How many entries of the journal the registry has."""
        return int(self._registry.job(self.job_uuid)["last_seq"])

    def modules_told(self) -> list[str]:
        """The stages whose modules' results the registry has heard."""
        return [module["stage"] for module in self._registry.job(self.job_uuid)["modules"]]

    def notices(self) -> list[str]:
        """What the journal notes besides states."""
        return [entry["body"]["message"] for entry in self.job.journal.entries() if entry["kind"] == "notice"]


class Answer(NamedTuple):
    """How a command ended.

    Attributes:
        exit_code: what it exited with.
        events: what it told the client.
        errors: what it printed besides.
        was_killed: whether it (or one it started) died where it was to die.
    """

    exit_code: int
    events: list[dict[str, Any]]
    errors: str
    was_killed: bool
