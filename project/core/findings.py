"""What a check found: well, doubtful or broken, and what to do about it in one sentence."""

from typing import Iterable, NamedTuple

OK, WARNING, FAILURE = "ok", "warning", "failure"
#: From the best to the worst.
LEVELS = (OK, WARNING, FAILURE)


class Finding(NamedTuple):
    """What one check found.

    Attributes:
        level: of LEVELS.
        text: what was found.
        remedy: what to do, one sentence; "" where there is nothing to do.
        check: what was looked at.
    """

    level: str
    text: str
    remedy: str = ""
    check: str = ""


def ok(text: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(OK, text)


def warning(text: str, remedy: str = "") -> Finding:
    """Return the finding that something is doubtful, or missing that not every job needs."""
    return Finding(WARNING, text, remedy)


def failure(text: str, remedy: str) -> Finding:
    """Return the finding that jobs will not work."""
    return Finding(FAILURE, text, remedy)


def worst(levels: Iterable[str]) -> str:
    """Return the worst of some levels, the best there is of none."""
    return max(levels, key=LEVELS.index, default=OK)
