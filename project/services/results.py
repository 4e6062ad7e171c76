"""What a job left, against what lies in a folder here: what is to be fetched, what is there, what is in the way."""

from __future__ import annotations

import binascii
import enum
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.core.errors import TransferFailed, TransferStopped
from project.core.units import format_bytes
from project.ports import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_MOST_TOLD = 20
#: In the results' folder: the SHA-256 of what came, by name.
FETCHED = ".gridferry-fetched.json"


class Standing(enum.Enum):
    """What lies here under a result's name."""

    ABSENT = "nothing"
    SAME = "the same content"
    OUTDATED = "what came for it last time, and nobody has changed since"
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

    def standing(self, fetched_sha256: str = "") -> Standing:
        """What lies here under its name; its whole content is looked at.

        Args:
            fetched_sha256: of what came under this name last time, "" if nothing did.
        """
        if not os.path.lexists(self.target):
            return Standing.ABSENT
        try:
            with self.target.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:  # a folder, a dangling symlink, a file that may not be read
            sha256 = ""
        if sha256 == self.file.sha256:
            return Standing.SAME
        return Standing.OUTDATED if sha256 and sha256 == fetched_sha256 else Standing.DIFFERENT


class ResultsFolder:
    """Where results go; nothing leads out of it.

    A hidden file in it keeps the SHA-256 of all that came: what has changed on the cluster replaces what came before,
    and nothing that somebody here has written.

    Args:
        folder: where they go; it exists.
        late: tells the SHA-256 of a file, by its path on the cluster, that the manifest has none of.
    """

    def __init__(self, folder: Path, late: Callable[[str], str] = lambda _: "") -> None:
        self.folder = folder
        self._late = late
        self._inside: dict[Path, bool] = {}
        self._fetched = _read_fetched(folder / FETCHED)

    def standing(self, result: Result) -> Standing:
        """What lies here under a result's name."""
        return result.standing(self._fetched.get(result.name, ""))

    def note_fetched(self, results: Iterable[Result]) -> None:
        """Keep in mind that these came as they are."""
        self._fetched.update({result.name: result.file.sha256 for result in results})
        if not self._fetched:
            return
        part = self.folder / f"{FETCHED}.part"
        part.write_text(json.dumps(self._fetched, sort_keys=True))
        part.replace(self.folder / FETCHED)

    def result(self, name: str, entry: Mapping[str, Any]) -> Result:
        """Return a file of a manifest.

        Raises:
            TransferFailed: it cannot be read there, or its name is none or leads out of the folder, by a link here.
        """
        if not _can_be_named(name) or Path(name).is_absolute() or ".." in Path(name).parts:
            raise TransferFailed(f"the cluster names a file {name!r} outside of the job")
        target = self.folder / name
        if not self._is_inside(target.parent):
            raise TransferFailed(
                f"{target.parent} here is a link out of {self.folder}", remedy="Choose another with --to"
            )
        if "unreadable" in entry:
            raise TransferFailed(f"it cannot be read on the cluster: {entry['unreadable']}")
        size, executable = int(entry["size"]), bool(entry["executable"])
        path = str(entry["path"])
        digest = str(entry["sha256"]) or partial(self._late, path)
        return Result(name, target, RemoteFile(path, size, digest, executable, _content(entry.get("content"))))

    def _is_inside(self, folder: Path) -> bool:
        if folder not in self._inside:
            self._inside[folder] = folder.resolve().is_relative_to(self.folder.resolve())
        return self._inside[folder]


def _read_fetched(path: Path) -> dict[str, str]:
    """Return what came last time; a file that somebody has damaged counts for nothing."""
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(sha256) for name, sha256 in told.items()} if isinstance(told, dict) else {}


def _content(encoded: str | None) -> bytes | None:
    """Return what came along with a manifest, None if nothing did or it makes no sense."""
    try:
        return None if encoded is None else binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        return None


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
