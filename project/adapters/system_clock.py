"""Time as this machine tells it."""

from __future__ import annotations

import time


class SystemClock:
    """The real clock."""

    def now_s(self) -> float:
        """Seconds since 1970 (UTC)."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
