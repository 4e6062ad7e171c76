"""Reads the text of a private key file, and says what is wrong with one before anything has been done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.adapters.private_file import OpenToOthers, read_private
from project.core.job import AUTO
from project.core.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY = "private_key"
_REMEDY = "Name another key, or put this one right"


class Unusable(Exception):
    """A key file cannot be used; says why, in words that follow the file's name."""


def read_key(path: Path) -> bytes:
    """Return the content of a private key file.

    Raises:
        Unusable: it is missing, unreadable, open to others, or no private key.
    """
    try:
        content = read_private(path)
    except FileNotFoundError:
        raise Unusable("does not exist") from None
    except OpenToOthers as error:
        raise Unusable(str(error)) from None
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}") from error
    if b"PRIVATE KEY-----" not in content:
        raise Unusable("is no private key")
    return content


def key_problems(
    document: Any, lines: Mapping[str, int], clusters: Mapping[str, Mapping[str, Any]] | None
) -> list[Problem]:
    """Return what is wrong with the private key of a job file, as far as it is sure that it would be used.

    Args:
        document: what the job file says, right or wrong.
        lines: where its keys stand.
        clusters: what the settings say of clusters; a key of theirs is used instead. None: nobody will log in.
    """
    given = document.get(_KEY) if isinstance(document, dict) and clusters is not None else None
    if not given or not isinstance(given, str) or not _is_used(document.get("destination_cluster"), clusters or {}):
        return []
    try:
        read_key(Path(given).expanduser())
    except Unusable as error:
        return [Problem(_KEY, f"{given} {error}", _REMEDY, lines.get(_KEY))]
    except RuntimeError:  # a home of nobody: ~nobody/.ssh/id
        return [Problem(_KEY, f"{given} begins with the home of nobody", _REMEDY, lines.get(_KEY))]
    return []


def _is_used(destination: Any, clusters: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the job file's key is used wherever the job goes; of clusters unknown here only if none has its own."""
    own = {name for name, given in clusters.items() if given.get(_KEY)}
    named = [destination] if isinstance(destination, str) else destination
    if not isinstance(named, list) or AUTO in named:
        return not own
    return not own.intersection(map(str, named))
