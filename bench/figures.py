"""Figures with what they aim at, as a table for people and as JSON for programs."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FORMATS = {"s": "{:.2f} s", "ms": "{:.0f} ms", "x": "{:.2f} x", "KB": "{:.1f} KB", "MB": "{:.1f} MB", "": "{:.0f}"}
_HEADINGS = ("", "median", "min - max", "aim", "")


@dataclass(frozen=True)
class Figure:
    """Something that was measured.

    Attributes:
        name: what.
        unit: one of s, ms, x (times), KB (1000 bytes), MB (1000 KB) and "" for a count.
        values: one for each round.
        at_most: the aim; None where there is none.
    """

    name: str
    unit: str
    values: Sequence[float]
    at_most: float | None = None

    @property
    def median(self) -> float:
        """What stands for all rounds."""
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        """Whether the median meets the aim: `ok` or `missed`, "" without an aim."""
        if self.at_most is None:
            return ""
        return "ok" if self.median <= self.at_most else "missed"

    def document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "at_most": self.at_most,
            "verdict": self.verdict,
        }

    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        low, high = (_FORMATS[self.unit].format(extreme(self.values)) for extreme in (min, max))
        spread = f"{low} - {high}" if len(self.values) > 1 else ""
        aim = "" if self.at_most is None else f"≤ {self.at_most:g} {self.unit}".rstrip()
        return (self.name, _FORMATS[self.unit].format(self.median), spread, aim, self.verdict)


def ratios(name: str, ours: Sequence[float], theirs: Sequence[float], at_most: float | None = None) -> Figure:
    """Compare round by round: what disturbs a round disturbs both."""
    return Figure(name, "x", [a / b for a, b in zip(ours, theirs, strict=True)], at_most)


def table(figures: Iterable[Figure]) -> str:
    """Write figures as a table: names to the left, everything else to the right."""
    rows = [_HEADINGS, *(figure.cells() for figure in figures)]
    name_width, *widths = (max(len(cell) for cell in column) for column in zip(*rows, strict=True))
    return "\n".join(
        "  ".join([name.ljust(name_width), *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))])
        for name, *cells in rows
    )
