"""The current time, and arithmetic on times, in the text form of `project.core.messages`."""

from __future__ import annotations

import time

from project.core.messages import format_utc, parse_utc

MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S


def now() -> str:
    """Return the current time."""
    return format_utc(time.time())


def later(text: str, seconds: float) -> str:
    """Return the time `seconds` after `text` (before it, when negative)."""
    return format_utc(parse_utc(text) + seconds)
