"""A few jobs, a few faults of every kind, and and what is promised holds; `make chaos` does it with hundreds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from project.core.errors import SandboxError
from project.sandbox.preflight import check_machine
from tests.chaos.plan import plan
from tests.chaos.run import carry_out
from tests.chaos.world import running_world

pytestmark = pytest.mark.slurm

_SEED = 1
_JOBS = 8
_LONGEST_S = 8.0


def test_what_is_promised_holds_whatever_happens(capsys: pytest.CaptureFixture[str]) -> None:
    """One Slurm job per UUID, every state and mail once, the results whole: though all of it broke on the way."""
    try:
        check_machine()
    except SandboxError as error:
        pytest.skip(f"no real Slurm here: {error.message}")
    steps = plan(_SEED, _JOBS, _LONGEST_S)
    folder = Path(tempfile.mkdtemp(prefix="gfc-", dir="/tmp"))  # short, since sockets lie in it
    try:
        with running_world(folder) as world:
            result = carry_out(world, steps, print)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert result.wrong == [], f"seed {_SEED}: {steps}\n{capsys.readouterr().out}"
