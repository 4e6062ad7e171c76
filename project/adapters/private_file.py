"""Files that nobody else may read or change: checked as they are opened, made private, whatever the umask."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from project.wrapper import files

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class OpenToOthers(Exception):
    """Others may read a file that holds a secret; says so, in words that follow the file's name."""


def read_private(path: Path) -> bytes:
    """Return the content of a file that holds a secret.

    What is asked about is the very file that is read, as ssh does it; a file of somebody else is theirs to guard.

    Raises:
        OpenToOthers: it belongs to the user, and others may read it.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        status = os.fstat(stream.fileno())
        if status.st_uid == os.getuid() and status.st_mode & _OTHERS:
            raise OpenToOthers(
                f"is open to other users (mode {stat.S_IMODE(status.st_mode):04o}); run: chmod 600 {path}"
            )
        return stream.read()


def is_changeable_by_others(folder: Path) -> bool:
    """Whether others may put files into a folder of the user's."""
    try:
        status = folder.stat()
    except OSError:
        return False
    return status.st_uid == os.getuid() and bool(status.st_mode & _WRITABLE_BY_OTHERS)


def is_readable_by_others(path: Path) -> bool:
    """Whether others may read a file of the user's."""
    try:
        status = path.stat()
    except OSError:
        return False
    return status.st_uid == os.getuid() and bool(status.st_mode & _OTHERS)


def private_opener(path: str, flags: int) -> int:
    """Open a file, private if it is new, and never through a link that lies in its place."""
    return os.open(path, flags | os.O_NOFOLLOW, files.PRIVATE_FILE)


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, private to the user."""
    files.make_folder(str(folder))
