"""What of a job's directory goes to the cluster, in a fixed order; whatever cannot go is told, never left out."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from project.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: In a job's directory: what is not brought along, in the patterns of .gitignore.
IGNORE_FILE = ".gridferryignore"


def tree(directory: Path | None) -> Iterator[tuple[Path, str]]:
    """Yield every file, folder and link of a directory with its name in it, in a fixed order.

    Raises:
        UsageError: a symlink leads out, or something is neither file, folder nor link.
        OSError: a folder cannot be read.
    """
    if directory is None:
        return
    root = directory.resolve()
    is_ignored = _ignored(root)
    for entry, name in sorted(_entries(root, is_ignored), key=lambda found: found[1].split("/")):
        path = Path(entry.path)
        if entry.is_symlink():
            _refuse_outside(path, root)
        elif not (entry.is_dir() or entry.is_file()):
            raise UsageError(
                f"{path} is neither a file, a folder nor a symlink", remedy=f"Remove it, or name it in {IGNORE_FILE}"
            )
        yield path, name


def _entries(root: Path, is_ignored: Callable[[str], bool]) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield what is in a directory and below, symlinks not followed, but what is ignored."""
    ahead = [(str(root), "", False)]
    while ahead:
        folder, prefix, may_be_closed = ahead.pop()
        try:
            entries = list(os.scandir(folder))
        except PermissionError:
            if may_be_closed:  # it is ignored, and what is in it would be, too
                continue
            raise
        for entry in entries:
            name = prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            ignored = is_ignored(f"{name}/" if is_folder else name)
            if is_folder:  # of an ignored one the patterns may bring something back
                ahead.append((entry.path, f"{name}/", ignored))
            if not ignored:
                yield entry, name


def _refuse_outside(link: Path, root: Path) -> None:
    if not Path(os.path.realpath(link)).is_relative_to(root):
        raise UsageError(
            f"{link} is a symlink that leads out of the job's directory",
            remedy=f"Copy what it points to into the directory, or name it in {IGNORE_FILE}",
        )


def _ignored(root: Path) -> Callable[[str], bool]:
    """Return whether a name in the directory is to stay here, by the patterns of its ignore file."""
    file = root / IGNORE_FILE
    if not file.is_file():
        return lambda _name: False
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - few jobs have such a file

    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    try:
        with (
            warnings.catch_warnings()
        ):  # `[a--b]` is what it is in Git; Python's plans for it are nobody's business here
            warnings.simplefilter("ignore", FutureWarning)
            return GitIgnoreSpec.from_lines(lines).match_file
    except (ValueError, re.error) as error:
        raise UsageError(f"{file} cannot be read: {error}", remedy="Write patterns as .gitignore has them") from error
