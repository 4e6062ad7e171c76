"""Time on the login node, as an object so that tests can simulate hours."""

import time
from typing import Optional

from project.core.messages import format_utc


class Clock:
    """The real clock."""

    def now_s(self) -> float:
        """Seconds since 1970 (UTC)."""
        return time.time()

    def elapsed_s(self) -> float:
        """Seconds since some moment; they go on evenly when somebody sets the clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def now_utc(self) -> str:
        """Now, as documents write it."""
        return format_utc(self.now_s())


def parse_local_s(text: str) -> Optional[float]:
    """Read Slurm's local time `2026-11-20T10:00:00`; None for `Unknown`, `None`, `N/A` and the like."""
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return None
