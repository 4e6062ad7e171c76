"""Chooses how files move over a connection: by SFTP where there is one, else through a shell."""

from __future__ import annotations

import contextlib
import re
import shlex
from typing import TYPE_CHECKING, Protocol, TypeVar

from project.adapters.ssh.files import NotThere
from project.adapters.ssh.roots import Roots
from project.adapters.ssh.sftp import Sftp
from project.adapters.ssh.sftp_files import SftpFiles
from project.adapters.ssh.sftp_wire import SftpMissing
from project.adapters.ssh.stream_files import SHA256, StreamFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    import paramiko

    from project.adapters.ssh.files import Files
    from project.adapters.ssh.shell import SshShell

_Result = TypeVar("_Result")

#: How long the far side may take to hash what is there of a large file.
_HASH_LIMIT_S = 600.0


class Channels(Protocol):
    """What opens channels to a login node; each raises Unreachable when the connection is broken."""

    @property
    def host(self) -> str:
        """How messages call the login node."""

    def new_channel(self) -> paramiko.Channel:
        """Open a channel."""

    def run(self, command: str) -> paramiko.Channel:
        """Start a command on a channel of its own."""

    def shell(self) -> SshShell:
        """Start a shell on one."""


class FileAccess:
    """How files move over a connection, found out when it is first needed.

    Args:
        connection: opens channels.
        has_sftp: whether to ask for SFTP.
    """

    def __init__(self, connection: Channels, *, has_sftp: bool = True) -> None:
        self._connection = connection
        self._has_sftp = has_sftp
        self._roots = Roots()
        self._sftp: Sftp | None = None
        self._files: Files | None = None
        self._known_directories: set[bytes] = set()

    @property
    def way(self) -> str:
        """How files move, as far as that is known."""
        if self._files is None:
            return "nothing was transferred yet"
        return f"by SFTP{self._roots.words}" if self._sftp else "through a shell: no SFTP sees the folder"

    @property
    def streams(self) -> bool:
        """Whether files move through a shell, as far as that is known."""
        return self._files is not None and self._sftp is None

    def run(self, path: bytes, action: Callable[[Files], _Result]) -> _Result:
        """Do something with the file `path`; again if SFTP turns out to know it by another name, or not at all.

        Raises:
            NotThere: there is no such file, or no such directory.
        """
        directory = path.rpartition(b"/")[0]
        self._files = self._files or self._choose()
        try:
            result = action(self._files)
        except NotThere:
            if not self._sftp or directory in self._known_directories:
                raise
            if not self._learn(self._sftp, directory):
                self._files, self._sftp = self._streams(), None
            self._known_directories.add(directory)
            return action(self._files)
        self._known_directories.add(directory)
        return result

    def _choose(self) -> Files:
        if not self._has_sftp:
            return self._streams()
        try:
            self._sftp = Sftp(self._connection.new_channel())
        except SftpMissing:
            return self._streams()
        return SftpFiles(self._sftp, self._roots.there, self._sha256_there)

    def _streams(self) -> StreamFiles:
        return StreamFiles(self._connection.run, self._connection.host)

    def _learn(self, sftp: Sftp, directory: bytes) -> bool:
        with contextlib.closing(self._connection.shell()) as shell:
            return self._roots.learn(sftp, shell, directory)

    def _sha256_there(self, path: bytes, size: int) -> str:
        quoted = shlex.quote(path.decode(errors="surrogateescape"))
        with contextlib.closing(self._connection.shell()) as shell:
            answer = shell.ask(f"head -c {size} <{quoted} | {SHA256}", timeout_s=_HASH_LIMIT_S)
        found = re.search(r"\b[0-9a-f]{64}\b", answer)
        return found[0] if found else ""
