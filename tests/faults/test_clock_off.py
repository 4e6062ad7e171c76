"""A cluster whose clock is an hour off, against a client, a registry and a mail server whose clocks are right."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.messages import parse_utc
from tests.chaos.kinds import KINDS
from tests.chaos.plan import Submission
from tests.chaos.researcher import Researcher
from tests.chaos.run import see_to_the_end
from tests.chaos.world import World, running_world
from tests.contract.processes import poll
from tests.contract.slurm.real import skip_without_slurm
from tests.faults.other_clock import set_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOUR_S = 3600
_AT_ONCE = 3
#: Of the jobs' way, and of two clocks that are read one after the other.
_WHILE_S = 600


@pytest.fixture(scope="module", params=[_HOUR_S, -_HOUR_S], ids=["ahead", "behind"])
def ahead_s(request: pytest.FixtureRequest) -> int:
    """By how much Slurm's clock is ahead."""
    return int(request.param)


@pytest.fixture(scope="module", params=[True, False], ids=["all of it", "but for the login node"])
def other_world(request: pytest.FixtureRequest, ahead_s: int) -> Iterator[World]:
    """A grid whose cluster lives at another time."""
    skip_without_slurm()
    folder = Path(tempfile.mkdtemp(prefix="gff-", dir="/tmp"))  # short, since sockets lie in it
    try:
        with running_world(folder) as world:
            set_clock(world, ahead_s, login_node_too=request.param)
            yield world
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _researchers(world: World) -> list[Researcher]:
    number = world.next_number()
    return [Researcher(world, Submission(number + n, kind, None, "uuid")) for n, kind in enumerate(sorted(KINDS))]


def test_jobs_of_every_kind_go_their_way(other_world: World, ahead_s: int) -> None:
    """An answer of sbatch is lost, the follower is killed: once, in order, told by mail and fetched all the same."""
    other_world.programs.next("sbatch", "lost")
    researchers = _researchers(other_world)
    with ThreadPoolExecutor(_AT_ONCE) as people:
        submitting = people.map(Researcher.try_for_a_while, researchers)
        for follower in poll(lambda: other_world.far_processes("follow"), "a follower"):
            os.kill(follower, signal.SIGKILL)
        list(submitting)
    result = see_to_the_end(other_world, researchers)
    assert result.wrong == []
    for evidence in result.evidence:
        times = [event["body"].get("since") for event in evidence.job["timeline"]]
        for since in filter(None, times):
            off_s = parse_utc(since) - parse_utc(evidence.job["created_at"])
            assert abs(off_s - ahead_s) < _WHILE_S, "Slurm lived at another time"


@pytest.mark.parametrize("words", [["clusters", "--refresh"], ["info"], ["list"], ["doctor"]], ids=" ".join)
def test_what_is_shown_of_it_makes_sense(other_world: World, words: list[str]) -> None:
    """No age is negative, nobody sees a traceback, and `doctor` names the difference."""
    process = other_world.start_client(*words, *(["sandbox"] if words == ["doctor"] else []))
    printed, said = process.communicate(timeout=300)
    assert "Traceback" not in said
    assert "-1 h" not in printed
    if words == ["doctor"]:
        assert "clock" in printed
