"""The committed list of the wrapper's steps, and the moments at which a process may die."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.killing.login_node import Kill, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Steps whose end nobody sees.
_BEGINNINGS = ("write ", "shutil.")
_LIST = Path(__file__).with_name("steps.txt")


def listed() -> dict[str, list[Step]]:
    """Return the committed steps of each scenario; one that an earlier scenario has is not repeated."""
    found: dict[str, list[Step]] = {}
    for line in _LIST.read_text().splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = steps = []
        elif line:
            steps.append(Step(*line.split(": ", 1)))
    return found


def recorded(path: Path) -> set[Step]:
    """Return the steps that a launcher noted."""
    return {Step(*line.split("\t")) for line in path.read_text().splitlines()}


def kills(scenario: str, moments: Iterable[str] = ("before", "during", "after")) -> list[Kill]:
    """Return the moments of a scenario's own steps at which a process may die.

    Only programs last (`during`); nobody waits for those that go on alone (`after`), and of
    some only the beginning is seen.
    """
    return [
        Kill(step, moment)
        for step in listed()[scenario]
        for moment in moments
        if (moment != "during" or step.name.startswith("run "))
        and (moment != "after" or not step.name.startswith(("run wrapper ", *_BEGINNINGS)))
    ]
