"""Finds the files that names, folders and globs stand for; no symlink leads outside, and loops of them end."""

import fnmatch
import glob
import os
from typing import Iterator, List, NamedTuple, Sequence, Tuple


class _Place(NamedTuple):
    """Something in a folder.

    Attributes:
        path: where it is.
        name: the same below the folder, "" for the folder itself.
        is_plain: there is no symlink on the way to it, nor is it one, so that it cannot be outside.
        is_file: it is plain, and a regular file (or a folder that cannot be listed).
    """

    path: str
    name: str
    is_plain: bool
    is_file: bool = False


def files_of(folder: str, pattern: str) -> Iterator[Tuple[str, str]]:
    """Yield (name to save as, absolute path) of what a name, folder or glob stands for; nothing outside `folder`.

    A name that exists is meant as it stands, even if it looks like a glob. A folder stands for all below it; symlinks
    to folders are followed where the pattern names or matches them, not by `**` and not further down. A folder that
    may not be read is yielded itself: whoever reads it will be told why.
    """
    root = os.path.realpath(folder)
    literal = os.path.join(folder, pattern)
    if os.path.lexists(literal):
        name = os.path.relpath(literal, folder)
        is_plain = os.path.realpath(literal) == os.path.normpath(os.path.join(root, name))
        matches: Iterator[_Place] = iter([_Place(literal.rstrip("/"), "" if name == "." else name, is_plain)])
    else:
        parts = [part for part in pattern.split("/") if part not in ("", ".")]
        matches = _matches(_Place(folder, "", is_plain=True), parts)
    for match in (match for match in matches if match.is_plain or _is_inside(root, match.path)):
        for place in _below(match):
            if place.is_file or (os.path.isfile(place.path) and _is_inside(root, place.path)):
                yield place.name, place.path


def _matches(place: _Place, parts: Sequence[str]) -> Iterator[_Place]:
    """Yield what a glob, split at its slashes, matches below a place."""
    if not parts:
        yield place
        return
    first, rest = parts[0], parts[1:]
    if first == "**":
        for folder in _plain_folders(place):
            yield from _matches(folder, rest)
        return
    if not glob.has_magic(first):
        path = os.path.join(place.path, first)
        found = [_child(place, first, path, is_plain=not os.path.islink(path))] if os.path.lexists(path) else []
    else:
        found = [child for child, _ in _listed(place) if _is_matched(os.path.basename(child.path), first)]
    for child in found:
        if not rest or os.path.isdir(child.path):
            yield from _matches(child, rest)


def _is_matched(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) and (pattern.startswith(".") or not name.startswith("."))


def _plain_folders(place: _Place) -> Iterator[_Place]:
    """Yield a folder and those below it that are neither hidden nor symlinks."""
    ahead = [place]
    while ahead:
        here = ahead.pop()
        yield here
        ahead += [
            child
            for child, is_folder in _listed(here)
            if is_folder and not os.path.basename(child.path).startswith(".")
        ]


def _below(place: _Place) -> Iterator[_Place]:
    """Yield every file below a folder, symlinks to folders not followed; a file itself."""
    if not os.path.isdir(place.path):
        yield place
        return
    ahead = [place]
    while ahead:
        here = ahead.pop()
        try:
            children = _scan(here)
        except OSError:
            yield here._replace(is_file=here.is_plain)
            continue
        for child, is_folder in children:
            if is_folder:
                ahead.append(child)
            else:
                yield child


def _listed(place: _Place) -> List[Tuple[_Place, bool]]:
    """Return what `_scan` returns, nothing if the folder cannot be read."""
    try:
        return _scan(place)
    except OSError:
        return []


def _scan(place: _Place) -> List[Tuple[_Place, bool]]:
    """Return what is in a folder, and of each whether it is a folder itself (a symlink to one is not)."""
    with os.scandir(place.path) as entries:
        return [
            (
                _child(
                    place,
                    entry.name,
                    entry.path,
                    is_plain=not entry.is_symlink(),
                    is_file=entry.is_file(follow_symlinks=False),
                ),
                entry.is_dir(follow_symlinks=False),
            )
            for entry in entries
        ]


def _child(place: _Place, name: str, path: str, *, is_plain: bool, is_file: bool = False) -> _Place:
    is_plain = place.is_plain and is_plain
    return _Place(path, f"{place.name}/{name}" if place.name else name, is_plain, is_plain and is_file)


def _is_inside(root: str, path: str) -> bool:
    return os.path.commonpath([root, os.path.realpath(path)]) == root
