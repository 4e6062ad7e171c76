"""What a seed stands for: submissions, faults and pauses in one order."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tests.chaos.kinds import KINDS
from tests.chaos.slurm_programs import MOODS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Submission:
    """A job file that is submitted until it is in the queue or was refused.

    Attributes:
        number: of the submission.
        kind: of KINDS.
        kill_after_s: when its first client is killed -9, None for not at all.
        resumes_by: with what the next client goes on: "uuid" or "file".
    """

    number: int
    kind: str
    kill_after_s: float | None
    resumes_by: str


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        name: of FAULTS.
        seconds: how long it lasts.
        detail: what else it needs to know.
    """

    name: str
    seconds: float
    detail: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pause:
    """Time passes.

    Attributes:
        seconds: how much.
    """

    seconds: float


Step = Submission | Fault | Pause


class Range(NamedTuple):
    """How long a fault lasts, at least and at most."""

    least_s: float
    most_s: float


_AT_ONCE = Range(0.0, 0.0)
#: Every fault there is, and how long it lasts. A silence of slurmctld beyond 10 s is longer than its clients wait.
FAULTS = {
    "ssh connections are cut": _AT_ONCE,
    "the next ssh connection is cut": _AT_ONCE,
    "ssh is refused": Range(1, 6),
    "ssh stands still": Range(2, 15),
    "the login node reboots": _AT_ONCE,
    "wrappers are killed": _AT_ONCE,
    "the follower is killed": _AT_ONCE,
    "the follower stands still": Range(35, 45),
    "slurmctld stands still": Range(3, 22),
    "slurmctld is away": Range(2, 25),
    "slurmdbd is away": Range(2, 20),
    "a program of Slurm is moody": _AT_ONCE,
    "the registry is killed": Range(0.5, 12),
    "the mail server is away": Range(2, 20),
}
_MOST_BYTES = 14_000  # of a submission's connection: key exchange, wrapper, parcel, launch
_LATE_S = 60.0
_CHANCE_OF_A_FAULT = 0.6
_CHANCE_OF_A_KILL = 0.25


def plan(seed: int, jobs: int, longest_s: float = 60.0) -> list[Step]:
    """Return the plan of a seed.

    Args:
        seed: any number.
        jobs: how many submissions.
        longest_s: no fault lasts longer; those that would have to are left out.
    """
    chance = random.Random(seed)  # noqa: S311 - it is to be repeatable
    faults, kinds = _bag(chance, _possible(longest_s)), _bag(chance, list(KINDS))
    steps: list[Step] = []
    for number in range(1, jobs + 1):
        kill = round(chance.uniform(0.2, 3.0), 2) if chance.random() < _CHANCE_OF_A_KILL else None
        steps.append(Submission(number, next(kinds), kill, chance.choice(["uuid", "file"])))
        if chance.random() < _CHANCE_OF_A_FAULT:
            steps.append(Pause(round(chance.uniform(0, 1.5), 2)))
            steps.append(_fault(chance, next(faults), longest_s))
        steps.append(Pause(round(chance.uniform(0, 1.5), 2)))
    return steps


def _possible(longest_s: float) -> list[str]:
    return [name for name, lasts in FAULTS.items() if lasts.least_s <= longest_s]


def _bag(chance: random.Random, names: Sequence[str]) -> Iterator[str]:
    """Yield names for ever, each once before any comes again."""
    while True:
        yield from chance.sample(names, len(names))


def _fault(chance: random.Random, name: str, longest_s: float) -> Fault:
    lasts = FAULTS[name]
    seconds = round(chance.uniform(lasts.least_s, min(lasts.most_s, longest_s)), 1) if lasts.most_s else 0.0
    detail: tuple[str, ...] = ()
    if name == "the next ssh connection is cut":
        detail = (str(chance.randint(1, _MOST_BYTES)),)
    elif name == "a program of Slurm is moody":
        program = chance.choice(sorted(MOODS))
        moods = [mood for mood in MOODS[program] if mood != "late" or longest_s >= _LATE_S]
        detail = (program, chance.choice(moods))
    return Fault(name, seconds, detail)
