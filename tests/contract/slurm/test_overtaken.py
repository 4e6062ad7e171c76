"""Two wrappers, two followers, on two login nodes with one disk: one stands still until it counts as gone.

`make faults` lets it stand still at every step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.killing.scenarios import Scenario, go_for_each
from tests.killing.slurms import FakeSide
from tests.killing.steps import kills

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.registry_process import RegistryProcess

_AT_ONCE = 4
#: Where what the other has done meanwhile would be done twice, if anywhere.
_WORST = {
    "run": (
        "run sbatch job.sbatch",
        "link control/slurm_job_id",
        "run scontrol release",
        "link journal state SUBMITTED",
    ),
    "follow": ("run squeue", "link journal tasks", "link journal state COMPLETED", "unlink active"),
}


def test_two_wrappers_at_once(tmp_path: Path, registry: RegistryProcess) -> None:
    """One takes the job into the queue, the other waits and finds it there; both are told so."""
    scenario = Scenario("plain", tmp_path, registry, FakeSide(tmp_path / "slurm"))
    assert scenario.node.run_from_two_hosts() == [0, 0]
    assert scenario.node.follow().exit_code == 0
    scenario.check()


def test_whoever_was_overtaken_does_nothing_twice(tmp_path: Path, registry: RegistryProcess) -> None:
    """The user's commands begin under one Slurm job, a twin is cancelled and told, each state is told once."""

    def make(folder: Path) -> Scenario:
        return Scenario("plain", folder, registry, FakeSide(folder / "slurm"))

    worst = [kill for kill in kills("plain", ["before"]) if kill.step.name in _WORST.get(kill.step.command, ())]
    assert len(worst) == 8
    assert go_for_each(worst, _AT_ONCE, make, tmp_path, Scenario.go_overtaken) == {}
