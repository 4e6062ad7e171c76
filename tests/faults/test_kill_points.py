"""Killed with -9 before, during and after every step, over a real Slurm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.killing.scenarios import SCENARIOS, Scenario, go_for_each
from tests.killing.slurms import RealSide
from tests.killing.steps import kills

if TYPE_CHECKING:
    from pathlib import Path

    from project.sandbox import api
    from tests.contract.registry_process import RegistryProcess

#: Most of the time is spent waiting for what Slurm takes its time with.
_AT_ONCE = 6


@pytest.mark.parametrize("name", SCENARIOS)
def test_whoever_dies_wherever(
    name: str, tmp_path: Path, registry: RegistryProcess, sandbox: api.SandboxInfo
) -> None:
    """The user's commands begin under one Slurm job, the journal has no gap, each state is told once and in order."""

    def make(folder: Path) -> Scenario:
        return Scenario(name, folder, registry, RealSide(folder / "slurm", sandbox.slurm_conf))

    assert go_for_each(kills(name), _AT_ONCE, make, tmp_path) == {}
