"""Paths as SFTP sees them: where it is confined to a directory, that directory is its root."""

from __future__ import annotations

import secrets
import shlex
from typing import TYPE_CHECKING

from project.adapters.ssh.files import NotThere

if TYPE_CHECKING:
    from project.adapters.ssh.sftp import Sftp
    from project.adapters.ssh.shell import SshShell

#: Makes a file by the shell, and tells the names of its directory: as asked for, and without symbolic links.
_LEAVE_A_TRACE = "cd {directory} && : >{trace} && pwd && pwd -P"


class Roots:
    """Translates the shell's paths into SFTP's; as long as nothing has been learned, they are the same."""

    def __init__(self) -> None:
        self._learned: dict[bytes, bytes] = {}

    @property
    def words(self) -> str:
        """What has been learned, for people; "" if nothing was."""
        pairs = (
            f"{_shown(shell_root)} is {_shown(sftp_root)} there" for shell_root, sftp_root in self._learned.items()
        )
        known = ", ".join(pairs)
        return f" ({known})" if known else ""

    def there(self, path: bytes) -> bytes:
        """Return what SFTP calls the path that the shell calls `path`."""
        for shell_root, sftp_root in self._learned.items():
            if path.startswith(shell_root + b"/"):
                return sftp_root + path[len(shell_root) :]
        return path

    def learn(self, sftp: Sftp, shell: SshShell, directory: bytes) -> bool:
        """Find out what SFTP calls `directory`: the shell makes a file in it, and SFTP looks for that file.

        Returns:
            Whether SFTP can see it at all.

        Raises:
            NotThere: the shell cannot see it either.
        """
        trace = f".gridferry-{secrets.token_hex(8)}"
        quoted = shlex.quote(directory.decode(errors="surrogateescape"))
        names = shell.ask(_LEAVE_A_TRACE.format(directory=quoted, trace=trace)).splitlines()
        if not names:
            raise NotThere
        guesses = list(
            dict.fromkeys(guess for name in names for guess in _ends(name.encode(errors="surrogateescape")))
        )
        try:
            found = sftp.exists([guess + b"/" + trace.encode() for guess in guesses])
        finally:
            shell.ask(f"rm -f {quoted}/{trace}")
        for guess, is_there in zip(guesses, found, strict=True):
            if is_there:
                self.note(directory, guess)
                return True
        return False

    def note(self, directory: bytes, seen_as: bytes) -> None:
        """Take note that SFTP calls `directory` something else; whatever lies beside it is called likewise."""
        shell_root, sftp_root = _without_common_end(directory, seen_as)
        self._learned[shell_root] = sftp_root


def _shown(path: bytes) -> str:
    return path.decode(errors="replace") or "/"


def _ends(path: bytes) -> list[bytes]:
    """Return "/a/b" as "/a/b", "/b" and ""."""
    parts = path.strip(b"/").split(b"/")
    return [b"".join(b"/" + part for part in parts[start:]) for start in range(len(parts) + 1)]


def _without_common_end(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """Return "/home/me/a/b" and "/me/a/b" as "/home" and ""."""
    while one and other and one.rpartition(b"/")[2] == other.rpartition(b"/")[2]:
        one, other = one.rpartition(b"/")[0], other.rpartition(b"/")[0]
    return one, other
