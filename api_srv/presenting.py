"""How pages say things: ages, colours of states, shares of a bar. Pure functions, used as Jinja filters."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from api_srv import clock
from project.core.messages import is_utc, parse_utc
from project.core.outcomes import headline, task_rows
from project.core.slurm.states import CANCELLED, Phase, parse_state
from project.core.states import NOT_SUBMITTED, GatewayState, is_success
from project.core.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

STALE_AFTER_S = 15 * clock.MINUTE_S
_UNITS = ((clock.DAY_S, "day"), (clock.HOUR_S, "hour"), (clock.MINUTE_S, "minute"))
_TONES = {Phase.WAITING: "waiting", Phase.RUNNING: "running", Phase.ENDED: "bad"}
_QUIET = frozenset((CANCELLED, "REVOKED", "PREEMPTED"))
_OWN_STEPS = frozenset(state.value for state in GatewayState) - {GatewayState.ERROR.value}


def age_s(time: str) -> float:
    """Return how many seconds ago `time` was; negative when a clock is ahead."""
    return parse_utc(clock.now()) - parse_utc(time)


def age(time: str) -> str:
    """Say how long ago `time` was: `3 minutes ago`."""
    seconds = age_s(time)
    for length_s, unit in _UNITS:
        number = int(seconds // length_s)
        if number >= 1:
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def punctuality(foretold: Mapping[str, Any]) -> str:
    """Say how starts came, compared with what was foretold."""
    late_s, jobs = foretold["median_late_s"], foretold["jobs"]
    said = "as foretold"
    if abs(late_s) >= clock.MINUTE_S:
        said = f"{format_duration(abs(late_s))} {'later' if late_s > 0 else 'earlier'} than foretold"
    return f"jobs started {said} (the median of the last {jobs})" if jobs > 1 else f"the last job started {said}"


def readable(time: str) -> str:
    """Write a time for people: `2026-11-20 10:00:00 UTC`; what is no time stays as it is."""
    return f"{time[:19].replace('T', ' ')} UTC" if is_utc(time) else time


def is_stale(time: str) -> bool:
    """Whether a status taken then is too old to be trusted."""
    return age_s(time) > STALE_AFTER_S


def tone(state: object) -> str:
    """Return the colour class of whatever a cluster calls a state: own, waiting, running, good, quiet or bad."""
    state = str(state)
    if state in _OWN_STEPS or state == NOT_SUBMITTED:
        return "own"
    if state == GatewayState.ERROR:
        return "bad"
    parsed = parse_state(state)
    if is_success(parsed.word):
        return "good"
    return "quiet" if parsed.word in _QUIET else _TONES.get(parsed.phase, "own")


def tally(states: Iterable[object]) -> list[tuple[str, int]]:
    """Count the tasks in each state, the most frequent first."""
    return Counter(parse_state(str(state)).word for state in states).most_common()


def shares(cpus: Mapping[str, Any] | None) -> list[tuple[str, int, float, float]]:
    """Return the parts of a bar of 100: class, CPUs, where it begins, how long it is."""
    numbers = [(name, _number((cpus or {}).get(name))) for name in ("allocated", "other", "idle")]
    total = sum(number for _, number in numbers)
    parts, begin = [], 0.0
    for name, number in numbers:
        length = 100.0 * number / total if total else 0.0
        parts.append((name, number, begin, length))
        begin += length
    return parts


def telling(tasks: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """Return so many tasks: all, or of more those first that have not ended well."""
    if len(tasks) <= most:
        return list(tasks)
    return sorted(tasks, key=lambda task: is_success(parse_state(str(task.get("State", ""))).word))[:most]


def pretty(value: Any) -> str:
    """Write JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


FILTERS = {
    "age": age,
    "headline": headline,
    "is_stale": is_stale,
    "pretty": pretty,
    "punctuality": punctuality,
    "readable": readable,
    "shares": shares,
    "tally": tally,
    "task_rows": task_rows,
    "telling": telling,
    "tone": tone,
}
