"""As many jobs as a screen holds: those that matter most first, the others counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from project.adapters.show.jobs import JOB_COLUMNS, standing
from project.adapters.show.table import render
from project.core.outcomes import headline, in_words
from project.core.slurm.states import Phase, parse_state
from project.core.states import GatewayState, is_success

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Job = Mapping[str, Any]

_HEADING_AND_CURSOR = 2
#: Lines for how many more there are, and for all in one count.
_COUNTS = 2
_FEWEST = 3
_WRONG, _AT_WORK, _WAITING, _WELL = range(4)


def screenful(jobs: Sequence[Job], width: int, height: int) -> list[str]:
    """Return a table that a screen holds: what went wrong and what runs, then what waits, then the rest, counted."""
    if len(jobs) + _HEADING_AND_CURSOR <= height:
        return render(JOB_COLUMNS, jobs, width)
    shown, left_out = most_urgent(jobs, max(_FEWEST, height - _HEADING_AND_CURSOR - _COUNTS))
    ended, total, told = standing(jobs)
    counts = (
        f"and {len(left_out)} more: {in_words(Counter(map(headline, left_out)))}",
        f"{ended} of {total} have ended: {told}",
    )
    return [*render(JOB_COLUMNS, shown, width), *(_cut(line, width) for line in counts)]


def most_urgent(jobs: Sequence[Job], room: int) -> tuple[list[Job], list[Job]]:
    """Return so many jobs, the most urgent first and else in their order, and the others.

    What went wrong leaves half of the room to what has not ended.
    """
    ranked: dict[int, list[Job]] = {rank: [] for rank in (_WRONG, _AT_WORK, _WAITING, _WELL)}
    for job in jobs:
        ranked[_rank(job)].append(job)
    active = len(ranked[_AT_WORK]) + len(ranked[_WAITING])
    wrong = ranked[_WRONG]
    first = max(room // 2, room - active)
    order = [*wrong[:first], *ranked[_AT_WORK], *ranked[_WAITING], *wrong[first:], *ranked[_WELL]]
    return order[:room], order[room:]


def _rank(job: Job) -> int:
    word = headline(job)
    state = parse_state(word)
    if job.get("flag") or word == GatewayState.ERROR.value or (state.ended and not is_success(state.word)):
        return _WRONG
    if is_success(state.word):
        return _WELL
    return _WAITING if word == GatewayState.CREATED.value or state.phase is Phase.WAITING else _AT_WORK


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"
