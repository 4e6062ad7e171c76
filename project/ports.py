"""What the services need from the outside world, as protocols; adapters provide it, tests may too."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from project.core.job_source import GitSource
    from project.core.module_steps import ModuleStep

    #: Called with (bytes done, bytes in total) while something is transferred.
    Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who logs in where, before `~/.ssh/config` has had its say.

    Attributes:
        host: host name as the registry or the user gives it (may be an alias of `~/.ssh/config`).
        port: TCP port, or None for what the configuration says (22 by default).
        username: account on the cluster.
        private_key: path of a private key, or None for the agent's and the configured ones.
        passphrase: of that key, or None to ask only if it turns out to be needed.
        host_keys: public keys the registry pins for this host ("ssh-ed25519 AAAA…"), perhaps none.
        proxy_jump: "user@host:port[,…]" that the registry proposes, or "".
        timeout_s: how long the port may take to answer as SSH.
    """

    host: str
    username: str
    port: int | None = None
    private_key: Path | None = None
    passphrase: str | None = field(default=None, repr=False)
    host_keys: tuple[str, ...] = ()
    proxy_jump: str = ""
    timeout_s: float = 6.0


class Prompter(Protocol):
    """Asks the person at the terminal; with `--no-input` every question is a UsageError naming the remedy."""

    @property
    def assumes_yes(self) -> bool:
        """Whether `--yes` was given."""

    def secret(self, question: str) -> str:
        """Ask for a secret without echo."""

    def text(self, question: str, default: str = "") -> str:
        """Ask for a line of text."""

    def confirm(self, question: str) -> bool:
        """Ask yes or no; `--yes` answers yes."""

    def confirm_trust(self, question: str) -> bool:
        """Ask yes or no about trust (host keys); `--yes` does not answer this one."""

    def choose(self, question: str, options: Sequence[str]) -> str:
        """Ask for one of `options` or another word; `--yes` takes the first."""


class Shell(Protocol):
    """One `/bin/sh` on the login node, fed through standard input, so that no login shell's quoting matters."""

    @property
    def exit_status(self) -> int | None:
        """Of the script that `become` ran, once it has ended; None before, -1 if a signal ended it."""

    @property
    def error_tail(self) -> str:
        """The end of what was printed on standard error so far."""

    def ask(self, script: str, *, timeout_s: float = 60.0) -> str:
        """Run `script`, return what it printed (banners and start-up noise left out).

        Raises:
            Unreachable: the connection broke or nothing came within `timeout_s`.
        """

    def become(self, script: str) -> Iterator[str]:
        """Run `script` as the shell's last one; yield the lines it prints, as they come, until it ends.

        Raises:
            Unreachable: the connection broke before the script ended.
        """

    def close(self) -> None:
        """End the shell if it is still there."""


@dataclass(frozen=True)
class RemoteFile:
    """A file there: absolute path, size in bytes, SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


class LogText(NamedTuple):
    """A piece of what a job printed.

    Attributes:
        name: of the file there.
        task: array task id, "" for a plain job.
        stream: "out" or "err".
        data: the bytes.
    """

    name: str
    task: str
    stream: str
    data: bytes


class LoginNode(Protocol):
    """An authenticated connection to a cluster's login node: one connection, few channels."""

    def shell(self) -> Shell:
        """Start a shell (one channel)."""

    def put(self, source: Path | bytes, target: str, *, mode: int = 0o600, progress: Progress | None = None) -> None:
        """Upload to `target` (absolute path there) whole or not at all: temporary name, fsync where possible, rename.

        A part left by an earlier try of the same content is continued.

        Raises:
            TransferFailed: it did not arrive whole (no space, connection lost).
        """

    def get(self, source: RemoteFile, target: Path, *, progress: Progress | None = None) -> None:
        """Download to `target` whole or not at all; continues `target`'s `.part`; checks size and SHA-256.

        Raises:
            TransferFailed: it did not arrive whole, or is not what the manifest says.
        """

    def read(self, path: str, limit_bytes: int) -> bytes:
        """Return at most `limit_bytes` of a small file there.

        Raises:
            FileNotFoundError: it is not there.
            TransferFailed: it could not be read.
        """

    def close(self) -> None:
        """Close the connection."""


class Connector(Protocol):
    """Opens connections."""

    def connect(self, login: Login) -> LoginNode:
        """Connect and log in.

        Raises:
            Unreachable: no SSH answer within the limit (refused, silent, or no banner: the message says which).
            AuthenticationFailed: it answered and refused our keys.
            HostKeyRefused: unknown, changed or disagreeing host key.
        """

    def answers(self, login: Login) -> bool:
        """Whether the login node says that it speaks SSH, within the limit and without logging in."""


class Registry(Protocol):
    """The registry's REST API, as the client uses it."""

    def clusters(self) -> list[dict[str, Any]]:
        """All clusters."""

    def put_status(self, cluster: str, status: Mapping[str, Any]) -> None:
        """Tell a cluster's status, as the cluster itself has just said it."""

    def create_job(self, job_uuid: str, document: Mapping[str, Any]) -> None:
        """Create a job (again, with the same content, changes nothing)."""

    def job(self, job_uuid: str) -> dict[str, Any]:
        """All stored values of a job."""

    def jobs(self, **wanted: str) -> list[dict[str, Any]]:
        """The user's newest jobs in short; `wanted` are the query parameters of docs/protocol.md."""

    def jobs_beginning(self, prefixes: Sequence[str]) -> list[dict[str, Any]]:
        """The user's jobs whose UUID begins with one of these (at least 4 characters), in short."""

    def history(self) -> list[dict[str, Any]]:
        """The user's newest jobs that ended well, all stored values of each."""

    def update_job(self, job_uuid: str, fields: Mapping[str, Any]) -> None:
        """Set some fields of a job."""

    def account(self) -> dict[str, Any]:
        """The user's account: `name`, `mail`, `admin`."""

    def states(self, job_uuid: str) -> list[str]:
        """Current states of a job, one per array task."""

    def report_credentials(self, cluster: str) -> dict[str, Any]:
        """A token that can only report for this user on this cluster, and where to send the reports."""

    def relay(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Send journal entries fetched from a cluster under the user's own token."""


class Clock(Protocol):
    """Time."""

    def now_s(self) -> float:
        """Seconds since 1970 (UTC)."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class View(Protocol):
    """Where a person sees what is going on."""

    def begin(self, stage: str) -> None:
        """A stage begins; the one before it is done."""

    def end(self, detail: str = "") -> None:
        """The stage is done."""

    def fail(self) -> None:
        """The stage failed."""

    def note(self, line: str) -> None:
        """Say something."""

    def output(self, line: str) -> None:
        """A command of the user printed a line."""

    def progress(self, done: int, total: int) -> None:
        """Bytes of a transfer."""

    def tasks(self, done: int, total: int, detail: str) -> None:
        """Tasks of a campaign that have ended, of all, with the states they are in."""


class Stage(enum.StrEnum):
    """How far a submission has come, as its record says."""

    CREATED = "created"  #: nothing has been sent yet
    LAUNCHED = "launched"  #: the cluster has it all, and may be at work
    HANDED_OVER = "handed over"  #: the cluster is at work and needs nobody from here on
    SUBMITTED = "submitted"  #: in Slurm's queue
    FAILED = "failed"  #: it went no further, and never will


class RecordStore(Protocol):
    """This machine's record of submissions."""

    def save(self, record: dict[str, Any]) -> None:
        """Write a record, safely on disk when this returns."""

    def load(self, job_uuid: str) -> dict[str, Any] | None:
        """Return a job's record, None if it was not submitted from here."""

    def beginning(self, prefix: str) -> list[str]:
        """Return the UUIDs on record that begin so."""

    def parcel(self, job_uuid: str) -> Path:
        """Where a job's parcel is kept until the job is in Slurm's queue."""

    def forget_parcel(self, job_uuid: str) -> None:
        """Remove a parcel that is not needed any more."""


class StagingModules(Protocol):
    """Runs modules on this machine."""

    def run(
        self,
        steps: Sequence[ModuleStep],
        files: Mapping[str, Path],
        user_input: dict[str, Any],
        *,
        on_start: Callable[[ModuleStep], None],
        on_result: Callable[[ModuleStep, dict[str, Any]], None],
        on_said: Callable[[str], None],
        environment: Mapping[str, str],
        history: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Run steps in order; return the user input as the last one left it. Raises ModuleFailed.

        Args:
            steps: of one stage.
            files: where each module's file is.
            user_input: what the first step gets.
            on_start: called before each step.
            on_result: called with what each step printed.
            on_said: called with each of the last lines of a step's standard error.
            environment: added to what modules see.
            history: the user's past jobs, for modules that learn from them.
        """


class Packer(Protocol):
    """Writes parcels."""

    def __call__(
        self,
        target: Path,
        *,
        spec: Mapping[str, Any],
        modules: Iterable[Path],
        directory: Path | None,
        others: Mapping[str, Path | bytes],
    ) -> None:
        """Write a parcel; `others` by their names in it. Raises UsageError when something cannot be packed."""


class Repositories(Protocol):
    """Git, with the user's own credentials."""

    def resolve(self, source: GitSource) -> str:
        """Return the commit a branch, tag or commit stands for now. Raises UsageError."""

    def pack(self, url: str, commit: str, target: Path) -> None:
        """Clone a repository at a commit, submodules included, and pack it. Raises UsageError."""


class FarProgram(Protocol):
    """A program of ours as it is uploaded."""

    @property
    def content(self) -> bytes:
        """The zipapp."""

    @property
    def file_name(self) -> str:
        """Its name there, made from its content."""
