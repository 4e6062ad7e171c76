"""An authenticated connection to a login node: one SSH session, few channels."""

from __future__ import annotations

import contextlib
from hashlib import sha256
from typing import TYPE_CHECKING

import paramiko

from project.adapters.ssh import sink
from project.adapters.ssh.file_access import FileAccess
from project.adapters.ssh.files import NotThere, told
from project.adapters.ssh.many import ManyFiles
from project.adapters.ssh.shell import SshShell
from project.adapters.ssh.source import Source
from project.core.errors import TransferFailed, TransferStopped, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from project.adapters.ssh.files import Files
    from project.adapters.ssh.session import Session
    from project.ports import RemoteFile


class _Missing(TransferFailed):
    """The far side has no such file or directory."""


class SshConnection:
    """Implements `project.ports.LoginNode`.

    Args:
        sessions: one for each host on the way, the login node's last.
        host: how messages call the login node.
        resources: what is closed with the connection.

    Attributes:
        host: how messages call the login node.
        has_sftp: whether to ask for SFTP; without it files go through a shell.
    """

    def __init__(
        self, sessions: Sequence[Session], host: str, resources: contextlib.ExitStack, *, has_sftp: bool = True
    ) -> None:
        self.host = host
        self._sessions = sessions
        self._resources = resources
        self._access = FileAccess(self, has_sftp=has_sftp)

    @property
    def connections_opened(self) -> int:
        """How many SSH connections this one is made of: more than one where there are jump hosts."""
        return len(self._sessions)

    @property
    def channels_opened(self) -> int:
        """How many channels have been opened on the login node so far."""
        return self._sessions[-1].channels_opened

    @property
    def host_key(self) -> str:
        """The public key by which the login node has proven itself, as a line of a public key file."""
        key = self._sessions[-1].get_remote_server_key()
        return f"{key.get_name()} {key.get_base64()}"

    @property
    def streams_files(self) -> bool:
        """Whether files go through a shell, known once one has."""
        return self._access.streams

    @property
    def transfers_by(self) -> str:
        """How files move, known once one has."""
        return self._access.way

    def shell(self) -> SshShell:
        """Start a shell (one channel).

        Raises:
            Unreachable: the connection is broken, or the server opens no more channels.
        """
        return SshShell(self.run("/bin/sh"), self.host)

    def put(
        self,
        source: Path | bytes,
        target: str,
        *,
        mode: int = 0o600,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Upload to `target` (absolute path there) whole or not at all; see `project.ports.LoginNode.put`.

        Raises:
            TransferFailed: it did not arrive whole.
        """
        path = _path(target)
        with contextlib.closing(Source(source)) as content, self._transferring(target):
            tell = _teller(progress, content.size)
            self._access.run(path, lambda files: files.put(content, path, mode, tell))

    def get(self, source: RemoteFile, target: Path, *, progress: Callable[[int, int], None] | None = None) -> None:
        """Download to `target` whole or not at all; see `project.ports.LoginNode.get`.

        Raises:
            TransferFailed: it did not arrive whole, or is not what the manifest says.
        """
        path = _path(source.path)
        tell = _teller(progress, source.size)

        def save(files: Files) -> None:
            sink.save(source, target, lambda start: told(files.fetch(path, start, source.size), start, tell))

        with self._transferring(source.path):
            self._access.run(path, save)

    def get_many(
        self, files: Mapping[Path, RemoteFile], *, progress: Callable[[int, int], None] | None = None
    ) -> set[Path]:
        """Download small files in one stream; see `project.ports.LoginNode.get_many`.

        Raises:
            TransferStopped: the connection broke, or there is no room here.
        """
        arrived = {target for target, file in files.items() if _is_here(file, target)}
        targets: dict[bytes, list[Path]] = {}
        for target, file in files.items():
            if target not in arrived:
                targets.setdefault(_path(file.path), []).append(target)
        wanted = {path: files[there[0]] for path, there in targets.items()}
        done = sum(files[target].size for target in arrived)
        tell = _teller(progress, sum(file.size for file in files.values()))
        tell(done)
        with self._transferring(f"{len(files)} files"):
            for path, content in ManyFiles(self.run, self.host).fetch(wanted) if wanted else ():
                arrived.update(target for target in targets[path] if _is_kept(files[target], target, content))
                done += len(content) * len(targets[path])
                tell(done)
        return arrived

    def read(self, path: str, limit_bytes: int) -> bytes:
        """Return at most `limit_bytes` of a small file there.

        Raises:
            FileNotFoundError: it is not there.
            TransferFailed: it could not be read.
        """
        try:
            with self._transferring(path):
                return self._access.run(_path(path), lambda files: files.head(_path(path), limit_bytes))
        except _Missing as error:
            raise FileNotFoundError(path) from error

    def run(self, command: str) -> paramiko.Channel:
        """Start a command on a channel of its own.

        Raises:
            Unreachable: the connection is broken, or the server opens no more channels.
        """
        channel = self.new_channel()
        with self._reaching("starts no command"):
            channel.exec_command(command)
        return channel

    def new_channel(self) -> paramiko.Channel:
        """Open a channel.

        Raises:
            Unreachable: the connection is broken, or the server opens no more channels.
        """
        with self._reaching("opens no channel"):
            return self._sessions[-1].new_channel()

    def close(self) -> None:
        """Close the connection."""
        self._resources.close()

    @contextlib.contextmanager
    def _reaching(self, failure: str) -> Iterator[None]:
        try:
            yield
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise Unreachable(
                f"{self.host} {failure}: {error}.",
                "Check your network; the site may allow very few sessions (MaxSessions).",
            ) from error

    @contextlib.contextmanager
    def _transferring(self, path: str) -> Iterator[None]:
        try:
            yield
        except NotThere as error:
            raise _Missing(f"{path} is not there on {self.host}, or its directory is not.") from error
        except (Unreachable, paramiko.SSHException, EOFError, OSError) as error:
            raise TransferStopped(
                f"The connection to {self.host} broke while {path} was transferred: {str(error) or 'no answer'}.",
                "Run the same again: what has arrived is continued.",
                getattr(error, "detail", ""),
            ) from error


def _is_here(file: RemoteFile, target: Path) -> bool:
    """Write what has come of a file already; whether that was all of it, and worked."""
    content = file.content
    return content is not None and sha256(content).hexdigest() == file.sha256 and _is_kept(file, target, content)


def _is_kept(file: RemoteFile, target: Path, content: bytes) -> bool:
    """Write a small file; whether that worked."""
    try:
        sink.keep(file, target, content)
    except TransferStopped:
        raise
    except TransferFailed:
        return False
    return True


def _path(path: str) -> bytes:
    return path.encode(errors="surrogateescape")


def _teller(progress: Callable[[int, int], None] | None, total: int) -> Callable[[int], None]:
    return (lambda done: progress(done, total)) if progress else (lambda _done: None)
