"""Which cluster a job should go to: a pure function from what each said to an order with reasons."""

from typing import Any, Callable, List, Mapping, NamedTuple, Optional, Sequence

from project.core.units import format_duration

#: Starts that lie no further apart count as the same: forecasts are no better than that.
_SAME_START_S = 60.0
_NEVER = float("inf")


class Candidate(NamedTuple):
    """A cluster and what it said of a job.

    Attributes:
        cluster: its name.
        problem: why it could not be asked ("" if it could): it does not answer, refuses the login, Slurm is silent.
        refusal: why it would not run the job, in Slurm's words where they are Slurm's; "" if it would.
        starts_in_s: how soon it would start it.
        free_slots: how many of the job's processes would fit on what is idle now.
        wanted_slots: how many the job has.
        pending_jobs: how many jobs wait there.
        foretold: how well its forecasts have come true, as the registry tells; it is shown and does not count.
    """

    cluster: str
    problem: str = ""
    refusal: str = ""
    starts_in_s: Optional[float] = None
    free_slots: int = 0
    wanted_slots: int = 1
    pending_jobs: int = 0
    foretold: Optional[Mapping[str, Any]] = None

    @property
    def is_usable(self) -> bool:
        """Whether the job may go there."""
        return not (self.problem or self.refusal)


class Ranked(NamedTuple):
    """A candidate in its place.

    Attributes:
        candidate: it.
        reason: why it stands there.
        is_chosen: whether the job goes there.
    """

    candidate: Candidate
    reason: str
    is_chosen: bool = False


class _Criterion(NamedTuple):
    """One thing that counts, and what it is called where it decides."""

    key: Callable[[Candidate], float]
    better: str


#: In the order in which they count; the user's order comes last, by the stability of sorting.
_BY_START = _Criterion(
    lambda found: _NEVER if found.starts_in_s is None else found.starts_in_s // _SAME_START_S, "starts first"
)
_CRITERIA = (
    _BY_START,
    _Criterion(lambda found: -min(found.free_slots, found.wanted_slots), "more of it fits on what is free now"),
    _Criterion(lambda found: found.pending_jobs, "fewer jobs wait there"),
)


def rank(candidates: Sequence[Candidate]) -> List[Ranked]:
    """Return the candidates, the best first and those that cannot be used last, each with its reason.

    Args:
        candidates: in the user's order, which settles ties.
    """
    usable = sorted((c for c in candidates if c.is_usable), key=lambda c: [rule.key(c) for rule in _CRITERIA])
    others = [c for c in candidates if not c.is_usable]
    ranked = [Ranked(best, _why_first(best, usable[1:]), is_chosen=True) for best in usable[:1]]
    ranked += [Ranked(found, _why_not(found, usable[0])) for found in usable[1:]]
    return ranked + [Ranked(found, found.problem or found.refusal) for found in others]


def _why_first(best: Candidate, others: Sequence[Candidate]) -> str:
    if not others:
        return "the only one that can run it"
    return _decisive(best, others[0]) or "as good as the next, and first in order"


def _why_not(found: Candidate, best: Candidate) -> str:
    if found.starts_in_s is not None and best.starts_in_s is not None and _decisive(best, found) == _BY_START.better:
        return f"would start {format_duration(found.starts_in_s - best.starts_in_s)} later"
    reason = _decisive(best, found)
    return f"{best.cluster}: {reason}" if reason else f"as good as {best.cluster}, which is first in order"


def _decisive(best: Candidate, other: Candidate) -> str:
    """Return what the first criterion that tells two candidates apart is called."""
    return next((rule.better for rule in _CRITERIA if rule.key(best) != rule.key(other)), "")
