"""The way to the login node is cut, or it reboots, at the worst moments; the client goes on, the job runs once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from project.core.errors import ExitCode
from tests.chaos.plan import Submission
from tests.chaos.researcher import Researcher
from tests.chaos.run import see_to_the_end
from tests.contract.processes import poll
from tests.e2e.far_side import kill_logins

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.world import World

_AFTER_A_WHILE_S = 12.0


def _researcher(world: World, kind: str = "quick") -> Researcher:
    return Researcher(world, Submission(world.next_number(), kind, None, "uuid"))


def _amid_sbatch(world: World, researcher: Researcher, fault: Callable[[World], object], *, after: bool) -> None:
    """Submit; while the wrapper is at sbatch, right before or right after Slurm takes the job, let a fault come."""
    submitting = threading.Thread(target=researcher.go_on)
    with world.programs.held("sbatch", after=after) as wait_until_it_is_called:
        submitting.start()
        wait_until_it_is_called()
        fault(world)
        submitting.join()
    call = researcher.story.calls[-1]
    assert call.exit_code in (ExitCode.UNREACHABLE, ExitCode.SUBMISSION_UNKNOWN), call.said
    assert not researcher.story.is_settled


def _resume(researcher: Researcher) -> None:
    researcher.go_on()
    assert researcher.story.is_settled, researcher.story.calls[-1].said


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_connection_cut_at_sbatch(world: World, after: bool) -> None:
    """The wrapper goes on alone; the client that resumes is told the one Slurm job."""
    researcher = _researcher(world)
    _amid_sbatch(world, researcher, lambda world: world.gate.cut(), after=after)
    _resume(researcher)
    assert see_to_the_end(world, [researcher]).wrong == []


def test_a_connection_cut_while_sbatch_waits_for_slurm(world: World) -> None:
    """The controller stands still, the connection dies, the controller goes on: there is one job all the same."""
    researcher = _researcher(world)
    submitting = threading.Thread(target=researcher.go_on)
    with world.daemons.stopped("slurmctld", _AFTER_A_WHILE_S):
        submitting.start()
        poll(lambda: world.far_processes("run"), "the wrapper is at work")
        world.gate.cut()
        submitting.join()
    researcher.go_on()
    assert see_to_the_end(world, [researcher]).wrong == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_login_node_that_reboots_at_sbatch(world: World, after: bool) -> None:
    """All processes are gone, the disk stays: the client that resumes finds the job, or submits it."""
    researcher = _researcher(world)

    def reboot(world: World) -> None:
        kill_logins(world.grid)
        world.gate.cut()

    _amid_sbatch(world, researcher, reboot, after=after)
    _resume(researcher)
    assert see_to_the_end(world, [researcher]).wrong == []


def test_a_login_node_that_reboots_under_a_running_job(world: World) -> None:
    """The follower is gone with all else; the next call of the client starts one, and nothing is lost."""
    researcher = _researcher(world, "long")
    researcher.go_on()
    kill_logins(world.grid)
    assert world.far_processes("follow") == []
    assert researcher.call("-r", researcher.story.job_uuid).exit_code == ExitCode.NOT_ENDED
    poll(lambda: world.far_processes("follow"), "a follower")
    assert see_to_the_end(world, [researcher]).wrong == []


def test_many_clients_resume_the_same_submission(world: World) -> None:
    """The first was killed; four go on with it at the same time, and all are told the same Slurm job."""
    researcher = _researcher(world, "prepared")
    submitting = threading.Thread(target=researcher.go_on)
    with world.programs.held("sbatch", after=False) as wait_until_it_is_called:
        submitting.start()
        wait_until_it_is_called()
        world.gate.cut()
        kill_logins(world.grid)
        submitting.join()
    with ThreadPoolExecutor(4) as pool:
        words = ["--resume", researcher.story.job_uuid, "--json"]
        calls = list(pool.map(lambda _: researcher.call(*words), range(4)))
    assert [call.said for call in calls if call.exit_code != ExitCode.OK] == []
    assert len({call.printed for call in calls}) == 1
    assert see_to_the_end(world, [researcher]).wrong == []


def test_a_follower_that_stood_still_finds_itself_overtaken(world: World) -> None:
    """Silent for longer than its lease lasts, it is replaced; it wakes up and ends, and nothing is told twice."""
    researcher = _researcher(world, "requeued")
    researcher.go_on()
    (first,) = poll(lambda: world.far_processes("follow"), "a follower")
    with world.stood_still(first):
        poll(lambda: _revived(world, researcher, first), "another follower", 120)
    poll(lambda: first not in world.far_processes("follow"), "the end of the first")
    assert see_to_the_end(world, [researcher]).wrong == []


def _revived(world: World, researcher: Researcher, first: int) -> bool:
    researcher.call("-r", researcher.story.job_uuid)
    return bool(set(world.far_processes("follow")) - {first})
