"""Time that passes at once."""

from __future__ import annotations

from project.wrapper.clock import Clock


class QuickClock(Clock):
    """The real time of day, and waits that are over as soon as they begin.

    Attributes:
        waits_s: every wait that was asked for.
        ahead_s: by how much somebody has set the clock forward.
    """

    def __init__(self) -> None:
        self.waits_s: list[float] = []
        self.ahead_s = 0.0

    def now_s(self) -> float:
        """Seconds since 1970, the waits included."""
        return super().now_s() + sum(self.waits_s) + self.ahead_s

    def elapsed_s(self) -> float:
        """Seconds since some moment, the waits included."""
        return super().elapsed_s() + sum(self.waits_s)

    def sleep(self, seconds: float) -> None:
        """Remember the wait."""
        self.waits_s.append(seconds)
