"""The login node of a cluster, as the services see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

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
        has_sftp: whether it is worth asking for SFTP.
    """

    host: str
    username: str
    port: int | None = None
    private_key: Path | None = None
    passphrase: str | None = field(default=None, repr=False)
    host_keys: tuple[str, ...] = ()
    proxy_jump: str = ""
    timeout_s: float = 6.0
    has_sftp: bool = True


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
    """A file there.

    Attributes:
        path: absolute.
        size: in bytes.
        digest: SHA-256 of its content, in hexadecimal, or what tells that once somebody needs to know.
        executable: whether it can be run.
        content: what came along with the list of files, if anything did; nobody has compared it with the hash yet.
    """

    path: str
    size: int
    digest: str | Callable[[], str]
    executable: bool = False
    content: bytes | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of its content, in hexadecimal.

        Raises:
            Unreachable: the connection broke before the cluster had told it.
        """
        return self.digest if isinstance(self.digest, str) else self.digest()


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

    @property
    def host_key(self) -> str:
        """The public key by which it has proven itself, as a line of a public key file."""

    @property
    def streams_files(self) -> bool:
        """Whether files go through a shell, known once one has."""

    @property
    def transfers_by(self) -> str:
        """How files move, in words; known once one has."""

    def shell(self) -> Shell:
        """Start a shell (one channel)."""

    def put(self, source: Path | bytes, target: str, *, mode: int = 0o600, progress: Progress | None = None) -> None:
        """Upload to `target` (absolute path there) whole or not at all: temporary name, fsync where possible, rename.

        A part left by an earlier try of the same content is continued.

        Raises:
            TransferFailed: it did not arrive whole (no space, connection lost).
        """

    def get(self, source: RemoteFile, target: Path, *, progress: Progress | None = None) -> None:
        """Download to `target` whole or not at all; continues what an earlier try left; checks size and SHA-256.

        Raises:
            TransferFailed: it did not arrive whole, or is not what the manifest says.
            TransferStopped: the connection broke, or there is no room here.
        """

    def get_many(self, files: Mapping[Path, RemoteFile], *, progress: Progress | None = None) -> set[Path]:
        """Download small files in one stream, by their targets; return the targets that are now there.

        Those whose content has come already are only written.

        Each is whole and what it should be, and its folders are made. For the others `get` says what is wrong.

        Raises:
            TransferStopped: the connection broke, or there is no room here.
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


class FarProgram(Protocol):
    """A program of ours as it is uploaded."""

    @property
    def content(self) -> bytes:
        """The zipapp."""

    @property
    def file_name(self) -> str:
        """Its name there, made from its content."""
