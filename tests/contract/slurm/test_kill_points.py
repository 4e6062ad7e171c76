"""Killed with -9 at any step of taking a job into the queue and of following it to its end; over the fake Slurm.

`make faults` does the same over a real Slurm, and at every moment of each step.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

from tests.killing.scenarios import SCENARIOS, Scenario, go_for_each
from tests.killing.slurms import FakeSide
from tests.killing.steps import kills, listed, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.registry_process import RegistryProcess

_AT_ONCE = 4


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_step_is_on_the_list(name: str, tmp_path: Path, registry: RegistryProcess) -> None:
    """A step that is new belongs on the list (tests/killing/steps.txt), so that somebody dies at it, too."""
    scenario = Scenario(name, tmp_path, registry, FakeSide(tmp_path / "slurm"))
    scenario.go()
    scenario.check()
    found, known = recorded(scenario.steps), listed()
    so_far = [step for earlier in (*takewhile(lambda other: other != name, known), name) for step in known[earlier]]
    assert found - set(so_far) == set(), "new: add it to the list"
    assert set(known[name]) - found == set(), "gone: remove it from the list"


@pytest.mark.parametrize("name", SCENARIOS)
def test_whoever_dies_wherever(name: str, tmp_path: Path, registry: RegistryProcess) -> None:
    """The user's commands begin under one Slurm job, the journal has no gap, each state is told once and in order.

    What lies between two steps is the same to a disk: dying after one is dying before the next.
    """

    def make(folder: Path) -> Scenario:
        return Scenario(name, folder, registry, FakeSide(folder / "slurm"))

    assert go_for_each(kills(name, moments=("before", "during")), _AT_ONCE, make, tmp_path) == {}
