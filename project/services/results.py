"""What a job left, against what lies in a folder here: what is to be fetched, what is there, what is in the way."""

from __future__ import annotations

import enum
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.core.errors import TransferFailed, TransferStopped
from project.core.units import format_bytes
from project.ports import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_TOLD = 20


class Standing(enum.Enum):
    """What lies here under a result's name."""

    ABSENT = "nothing"
    SAME = "the same content"
    DIFFERENT = "something else"


@dataclass(frozen=True)
class Result:
    """A file that a job left.

    Attributes:
        name: below the results' folder.
        target: where it goes.
        file: where it is there.
    """

    name: str
    target: Path
    file: RemoteFile

    @property
    def standing(self) -> Standing:
        """What lies here under its name; its whole content is looked at."""
        if not os.path.lexists(self.target):
            return Standing.ABSENT
        try:
            with self.target.open("rb") as stream:
                same = (
                    os.fstat(stream.fileno()).st_size == self.file.size
                    and hashlib.file_digest(stream, "sha256").hexdigest() == self.file.sha256
                )
        except OSError:  # a folder, a dangling symlink, a file that may not be read
            same = False
        return Standing.SAME if same else Standing.DIFFERENT


class ResultsFolder:
    """Where results go; nothing leads out of it.

    Args:
        folder: it exists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._inside: dict[Path, bool] = {}

    def result(self, name: str, entry: Mapping[str, Any]) -> Result:
        """Return a file of a manifest.

        Raises:
            TransferFailed: it cannot be read there, or its name is none or leads out of the folder, by a link here.
        """
        path = Path(name)
        if not _can_be_named(name) or path.is_absolute() or ".." in path.parts:
            raise TransferFailed(f"the cluster names a file {name!r} outside of the job")
        target = self._folder / path
        if not self._is_inside(target.parent):
            raise TransferFailed(
                f"{target.parent} here is a link out of {self._folder}", remedy="Choose another with --to"
            )
        if "unreadable" in entry:
            raise TransferFailed(f"it cannot be read on the cluster: {entry['unreadable']}")
        size, executable = int(entry["size"]), bool(entry["executable"])
        return Result(name, target, RemoteFile(str(entry["path"]), size, str(entry["sha256"]), executable))

    def _is_inside(self, folder: Path) -> bool:
        if folder not in self._inside:
            self._inside[folder] = folder.resolve().is_relative_to(self._folder.resolve())
        return self._inside[folder]


def _can_be_named(name: str) -> bool:
    """Whether a file here can have this name."""
    try:
        return bool(Path(name).name) and b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False


def check_room(folder: Path, results: Sequence[Result]) -> None:
    """Make sure that there is room for all of them, before anything is fetched.

    Raises:
        TransferStopped: there is not.
    """
    needed, free = sum(result.file.size for result in results), shutil.disk_usage(folder).free
    if needed > free:
        raise TransferStopped(
            f"no room for the results in {folder}: they need {format_bytes(needed)}, {format_bytes(free)} are free",
            remedy="Make room, or fetch into another folder with --to",
        )


def incomplete(folder: Path, total: int, failed: Mapping[str, str], in_the_way: Sequence[str]) -> TransferFailed:
    """Return the error that tells what did not come."""
    told = [f"{name}: {why}" for name, why in failed.items()]
    told += [f"{name}: another file of this name is there already" for name in in_the_way]
    more = [f"… and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
    remedies = ["Try again: what has arrived is kept"] if failed else []
    if in_the_way:
        remedies.append(f"Move the other files in {folder} away, choose --to DIR, or replace them by --overwrite")
    return TransferFailed(
        f"{len(told)} of {total} files did not arrive",
        remedy=". ".join(remedies),
        detail="\n".join([*told[:_MOST_TOLD], *more]),
    )
