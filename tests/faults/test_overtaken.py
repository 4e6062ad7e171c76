"""On two login nodes with one disk: a process stands still at any step until it counts as gone, then goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.killing.scenarios import Scenario, go_for_each
from tests.killing.slurms import FakeSide
from tests.killing.steps import kills

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.registry_process import RegistryProcess

_AT_ONCE = 4


def test_whoever_was_overtaken_does_nothing_twice(tmp_path: Path, registry: RegistryProcess) -> None:
    """Whatever it was about to do has been done by the other, or is done once by either."""

    def make(folder: Path) -> Scenario:
        return Scenario("plain", folder, registry, FakeSide(folder / "slurm"))

    anywhere = [kill for kill in kills("plain", ["before", "during"]) if kill.step.command != "postprocess"]
    once_only = {"run: unlink lease of the job"}  # nobody comes there on a first run
    chosen = [kill for kill in anywhere if f"{kill.step.command}: {kill.step.name}" not in once_only]
    assert go_for_each(chosen, _AT_ONCE, make, tmp_path, Scenario.go_overtaken) == {}
