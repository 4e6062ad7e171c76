"""How things are said: ages, colours of states, counts, bars. Pure functions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from project.core.messages import is_utc, parse_utc
from project.core.slurm.states import CANCELLED, Phase, parse_state
from project.core.states import GatewayState, is_success
from project.core.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLOURS = {Phase.WAITING: "yellow", Phase.RUNNING: "blue", Phase.ENDED: "red", Phase.UNKNOWN: ""}
#: Slurm plans in steps of half a minute (bf_interval, slurm.conf(5)).
_ON_TIME_S = 60.0
_FULL, _EMPTY = "█", "░"
_FRACTIONS = " ▏▎▍▌▋▊▉"


def age(at: str | None) -> str:
    """Say how long ago a time was: `3h 12m`; "" for none, and for what a cluster calls one and is none."""
    return format_duration(time.time() - parse_utc(at)) if at and is_utc(at) else ""


def punctuality(foretold: Mapping[str, Any] | None) -> str:
    """Say how starts came, of the last ones that were foretold: `4m 10s late (20)`; "" if there were none."""
    if not foretold:
        return ""
    late_s = float(foretold["median_late_s"])
    said = (
        "on time"
        if abs(late_s) < _ON_TIME_S
        else f"{format_duration(abs(late_s))} {'late' if late_s > 0 else 'early'}"
    )
    return f"{said} ({foretold['jobs']})"


def colour(state: str) -> str:
    """Return the colour of a state, "" for one of our own steps."""
    if state == GatewayState.ERROR.value:
        return "red"
    if state in GatewayState.__members__:
        return ""
    word = parse_state(state)
    if is_success(word.word):
        return "green"
    return "magenta" if word.word == CANCELLED else _COLOURS[word.phase]


def tally(counts: Mapping[str, int]) -> str:
    """Say how many tasks are in each state: `13 COMPLETED, 2 RUNNING`; "" for a single one."""
    if sum(counts.values()) <= 1:
        return ""
    return ", ".join(f"{number} {word}" for word, number in counts.items())


def bar(used: float, total: float, width: int = 10) -> str:
    """Draw how much of something is used: `██████▌░░░`."""
    if total <= 0:
        return ""
    eighths = round(min(1.0, max(0.0, used / total)) * width * 8)
    whole, rest = divmod(eighths, 8)
    drawn = _FULL * whole + (_FRACTIONS[rest] if rest else "")
    return drawn + _EMPTY * (width - len(drawn))
