"""Plain stand-ins for the services' ports: they do what they are told and remember what was asked."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from project.core.errors import GridferryError, TransferFailed, UsageError
from project.core.messages import LINE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from project.ports import Login, RemoteFile
    from project.ports.cluster import Progress

UUID = "3f2b1c0e-0000-4000-8000-000000000000"
CLUSTER = {"name": "nic5", "hostname": "nic5.example.org", "port": 22, "workload_manager": "slurm"}


class QuickClock:
    """Time that passes at once; `waits_s` holds every wait."""

    def __init__(self) -> None:
        self.waits_s: list[float] = []

    def now_s(self) -> float:
        """Seconds since 1970, the waits included."""
        return 1_790_000_000 + sum(self.waits_s)

    def sleep(self, seconds: float) -> None:
        """Remember the wait."""
        self.waits_s.append(seconds)


class ListeningView:
    """Remembers the stages and what was said."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.said: list[str] = []

    def begin(self, stage: str) -> None:
        """A stage begins."""
        self.stages.append(stage)

    def end(self, detail: str = "") -> None:
        """It is done."""

    def fail(self) -> None:
        """It failed."""
        self.stages.append("failed")

    def note(self, line: str) -> None:
        """Something was said."""
        self.said.append(line)

    def output(self, line: str) -> None:
        """A command printed a line."""
        self.said.append(line)

    def progress(self, done: int, total: int) -> None:
        """Bytes of a transfer."""

    def tasks(self, done: int, total: int, detail: str) -> None:
        """Tasks of a campaign."""
        self.said.append(f"{done} of {total}: {detail}")


class Person:
    """Answers questions in the order of `answers`; with none left there is nobody to ask."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def _answer(self, question: str) -> str:
        self.asked.append(question)
        if not self._answers:
            raise UsageError(f"nobody can be asked: {question}")
        return self._answers.pop(0)

    @property
    def assumes_yes(self) -> bool:
        """Whether `--yes` was given."""
        return False

    def secret(self, question: str) -> str:
        """A secret."""
        return self._answer(question)

    def text(self, question: str, default: str = "") -> str:
        """A line of text."""
        return self._answer(question) or default

    def confirm(self, question: str) -> bool:
        """Yes or no."""
        return self._answer(question) == "y"

    def confirm_trust(self, question: str) -> bool:
        """Yes or no about trust."""
        return self._answer(question) == "y"

    def choose(self, question: str, options: Sequence[str]) -> str:
        """One of several."""
        return self._answer(f"{question} {options}")


class FakeRegistry:
    """Knows what it is given; `jobs` are the answers about the job, the last one again and again.

    An answer that is an error is raised.
    """

    key = "here"

    def __init__(self, *jobs: Mapping[str, Any] | GridferryError) -> None:
        self._jobs = list(jobs)
        self.relayed: list[Mapping[str, Any]] = []
        self.statuses: dict[str, Mapping[str, Any]] = {}
        self.relay_error: GridferryError | None = None
        self.task_states: list[str] = []
        self.listed: list[dict[str, Any]] = []
        self.listing_error: GridferryError | None = None
        self.asked: list[Mapping[str, str]] = []

    def job(self, job_uuid: str) -> dict[str, Any]:
        """All stored values of the job."""
        answer = self._jobs.pop(0) if len(self._jobs) > 1 else self._jobs[0]
        if isinstance(answer, GridferryError):
            raise answer
        return {"job_uuid": job_uuid, "destination_cluster": CLUSTER, "user_input": {"username": "jdoe"}, **answer}

    def states(self, job_uuid: str) -> list[str]:
        """The states of its tasks."""
        assert job_uuid == UUID
        return self.task_states

    def relay(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Take what the client brings along."""
        if self.relay_error is not None:
            raise self.relay_error
        self.relayed.append(batch)
        return {}

    def account(self) -> dict[str, Any]:
        """The account."""
        return {"name": "ada", "mail": "ada@example.org", "admin": False}

    def clusters(self) -> list[dict[str, Any]]:
        """All clusters."""
        return [dict(CLUSTER)]

    def jobs(self, **wanted: str) -> list[dict[str, Any]]:
        """The listed jobs, as the registry pages them."""
        self.asked.append(wanted)
        uuids = [job["job_uuid"] for job in self.listed]
        first = uuids.index(wanted["after"]) + 1 if "after" in wanted else 0
        return self.listed[first : first + int(wanted["limit"])]

    def jobs_beginning(self, prefixes: Sequence[str]) -> list[dict[str, Any]]:
        """Those of the listed jobs."""
        if self.listing_error is not None:
            raise self.listing_error
        return [job for job in self.listed if job["job_uuid"].startswith(tuple(prefixes))]

    def history(self) -> list[dict[str, Any]]:
        """No past jobs."""
        return []

    def save_cluster(self, document: Mapping[str, Any]) -> None:
        """Create or change a cluster."""

    def remove_cluster(self, name: str) -> None:
        """Forget a cluster."""

    def put_status(self, cluster: str, status: Mapping[str, Any]) -> None:
        """Take a status."""
        self.statuses[cluster] = status

    def create_job(self, job_uuid: str, document: Mapping[str, Any]) -> None:
        """Create a job."""

    def update_job(self, job_uuid: str, fields: Mapping[str, Any]) -> None:
        """Set some fields."""

    def report_credentials(self, cluster: str) -> dict[str, Any]:
        """A token."""
        return {"cluster": cluster, "url": "http://registry", "token": "t"}


class FakeCluster:
    """A connector, its login node and the shell there, in one: the wrapper's events, and files to fetch.

    Attributes:
        events: what each of the wrapper's commands says; an error is raised where it stands.
        files: content of the files there, by path.
        logins: who has logged in.
        closed: how often the connection was closed.
        says_once: whether an event that was said (or raised) is not said again to the next who asks.
        words: of the last command.
    """

    def __init__(self) -> None:
        self.events: dict[str, list[Mapping[str, Any] | GridferryError]] = {"journal": []}
        self.files: dict[str, bytes] = {}
        self.logins: list[Login] = []
        self.uploads: list[str] = []
        self.closed = 0
        self.says_once = False
        self.words: list[str] = []
        self.exit_status: int | None = 0
        self.error_tail = ""

    @property
    def host_key(self) -> str:
        """Its key."""
        return "ssh-ed25519 AAAA"

    @property
    def streams_files(self) -> bool:
        """Whether files go through a shell."""
        return False

    @property
    def transfers_by(self) -> str:
        """How files move."""
        return "by SFTP"

    def connect(self, login: Login) -> FakeCluster:
        """Log in."""
        self.logins.append(login)
        return self

    def answers(self, login: Login) -> bool:
        """Whether it would answer."""
        return bool(login.host)

    def shell(self) -> FakeCluster:
        """A shell."""
        return self

    def ask(self, script: str, *, timeout_s: float = 60.0) -> str:
        """Answer the probe, or be a program that says little."""
        assert timeout_s > 0
        if "gridferry-probe" not in script:
            return "\n".join(self.become(script))
        return "Welcome!\ngridferry-probe root /home/jdoe/gridferry\ngridferry-probe python /usr/bin/python3\n"

    def become(self, script: str) -> Iterator[str]:
        """Be the wrapper."""
        command, *self.words = shlex.split(script.partition(".pyz ")[2])
        events = self.events[command] if command != "results" else self.events["journal"] + self.events["manifest"]
        yield "noise of a profile"
        while events:
            event = events.pop(0) if self.says_once else events[0]
            events = events if self.says_once else events[1:]
            if isinstance(event, GridferryError):
                raise event
            yield LINE_PREFIX + json.dumps(event)

    def put(self, source: Path | bytes, target: str, *, mode: int = 0o600, progress: Progress | None = None) -> None:
        """Take a file."""
        assert source is not None
        assert mode == 0o600 or progress is not None
        self.uploads.append(target)

    def get(self, source: RemoteFile, target: Path, *, progress: Progress | None = None) -> None:
        """Give a file."""
        if source.path not in self.files:
            raise TransferFailed(f"{source.path} is not there")
        target.write_bytes(self.files[source.path])
        target.chmod(0o700 if source.executable else 0o600)
        if progress is not None:
            progress(source.size, source.size)

    def get_many(self, files: Mapping[Path, RemoteFile], *, progress: Progress | None = None) -> set[Path]:
        """Give those files that it has."""
        there = {target: file for target, file in files.items() if file.path in self.files}
        for target, file in there.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            self.get(file, target, progress=progress)
        return set(there)

    def read(self, path: str, limit_bytes: int) -> bytes:
        """Give the beginning of a file."""
        return self.files[path][:limit_bytes]

    def close(self) -> None:
        """Close."""
        self.closed += 1


class FakeRecords:
    """Records in memory."""

    def __init__(self, record: dict[str, Any] | None = None) -> None:
        self.record = record

    def save(self, record: dict[str, Any]) -> None:
        """Keep it."""
        self.record = record

    def load(self, job_uuid: str) -> dict[str, Any] | None:
        """Return it."""
        assert job_uuid == UUID
        return self.record

    def newest_on(self, cluster: str) -> dict[str, Any] | None:
        """Return it if it is of that cluster."""
        return self.record if self.record is not None and self.record.get("cluster") == cluster else None

    def beginning(self, prefix: str) -> list[str]:
        """Return its UUID if it begins so."""
        return [UUID] if self.record is not None and UUID.startswith(prefix) else []

    def parcel(self, job_uuid: str) -> Path:
        """There are no parcels here."""
        raise NotImplementedError(job_uuid)

    def forget_parcel(self, job_uuid: str) -> None:
        """There are no parcels here."""


class FakeProgram:
    """A program for the far side."""

    content = b"toolbox"
    file_name = "toolbox-0123456789ab.pyz"
