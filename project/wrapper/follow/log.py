"""The follower's log: its standard output."""

import contextlib

from project.core.printable import one_line
from project.wrapper.clock import Clock

_LONGEST_CHARS = 1000


def log(clock: Clock, text: str) -> None:
    """Write a line with the time; a registry's words stay on it. A disk that has no room for it stops nobody."""
    with contextlib.suppress(OSError):
        print(clock.now_utc(), one_line(text, _LONGEST_CHARS), flush=True)  # noqa: T201 - this is what it is for
