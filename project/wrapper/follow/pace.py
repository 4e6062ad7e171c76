"""How often the scheduler is asked: soon after a change, seldom when nothing happens, never often enough to hurt."""

import enum
from typing import Dict

SHORTEST_S = 2.0
#: A change is told by mail within 60 s; a query and a report still have to fit in.
LONGEST_S = 40.0
#: Soon after a change the next one is likely, and what Slurm said first may be half the truth (a reason that its next
#: round of scheduling gives, a row the accounting has not completed): two more looks have to fit into that minute.
LONGEST_WHEN_YOUNG_S = 12.0
_YOUNG_S = 60.0
#: Of all time, at most a twentieth is spent in the scheduler's queries.
_LATENCY_FACTOR = 20.0
#: While jobs begin and end all the time, a sixth.
_HASTENED_FACTOR = 5.0
_AGE_DIVISOR = 10.0


#: Waits between looks at the disk: while something has just changed, later, and with very much to look at.
_LOOK_WHEN_YOUNG_S, _LOOK_S, _LONGEST_LOOK_S = 0.1, 0.5, 10.0
_LOOK_AGE_DIVISOR = 20.0
#: A job is a few files to open, a mark of a task a name in a folder; so many are looked at a second at most.
_JOBS_A_SECOND, _MARKS_A_SECOND = 100.0, 10000.0


class Haste(enum.IntEnum):
    """What the disk shows of jobs since the last query."""

    #: Nothing new.
    NONE = 0
    #: Some tasks of an array have begun or ended: of many tasks one always does.
    SOME = 1
    #: A job's first task has begun, or its last has ended.
    TURN = 2


def interval_s(youngest_change_age_s: float, latency_s: float) -> float:
    """Return the wait until the next query.

    Args:
        youngest_change_age_s: how long ago any followed job last changed.
        latency_s: how long the scheduler took for its last answers.
    """
    wanted = max(SHORTEST_S, youngest_change_age_s / _AGE_DIVISOR, latency_s * _LATENCY_FACTOR)
    return min(LONGEST_WHEN_YOUNG_S if youngest_change_age_s < _YOUNG_S else LONGEST_S, wanted)


def waits_s(youngest_change_age_s: float, latency_s: float) -> Dict[Haste, float]:
    """Return the wait until the next query for each haste; arguments as of `interval_s`."""
    quiet = interval_s(youngest_change_age_s, latency_s)
    return {
        Haste.NONE: quiet,
        Haste.SOME: min(quiet, max(SHORTEST_S, latency_s * _LATENCY_FACTOR)),
        Haste.TURN: min(quiet, latency_s * _HASTENED_FACTOR),
    }


def look_s(jobs: int, marks: int, youngest_change_age_s: float) -> float:
    """Return the wait until the next look at what so many jobs have noted, in so many marks on the disk."""
    by_age = min(_LOOK_S, max(_LOOK_WHEN_YOUNG_S, youngest_change_age_s / _LOOK_AGE_DIVISOR))
    by_size = jobs / _JOBS_A_SECOND + marks / _MARKS_A_SECOND
    return min(_LONGEST_LOOK_S, max(by_age, by_size))


def backoff_s(failures: int, longest_s: float = 60.0) -> float:
    """Return the wait after this many failures in a row."""
    return min(longest_s, 0.5 * 2.0 ** min(failures, 10))
