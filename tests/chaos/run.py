"""Carries a plan out, makes the world whole again, and waits until everything has come to its end."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.core.states import is_final
from tests.chaos.evidence import Evidence, accounted, gather
from tests.chaos.faults import Faults
from tests.chaos.invariants import violations
from tests.chaos.kinds import KINDS
from tests.chaos.plan import Fault, Pause, Step, Submission
from tests.chaos.researcher import TRANSIENT, Researcher, Story
from tests.contract.processes import poll

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.chaos.world import World

_RESEARCHERS = 4
_MOST_FAULTS_AT_ONCE = 3
#: How long the last jobs may take after the last fault; whoever waits calls the client now and then.
_END_LIMIT_S = 400.0
_CALL_EVERY_S = 8.0
_FETCHES = 3
_OVER = ("COMPLETED", "FAILED", "CANCELLED", "REQUEUED", "TIMEOUT", "NODE_FAIL")


@dataclass(frozen=True)
class Result:
    """What came out.

    Attributes:
        evidence: on every submission.
        wrong: what is not as promised.
    """

    evidence: list[Evidence]
    wrong: list[str]


def carry_out(world: World, steps: Sequence[Step], say: Callable[[str], object]) -> Result:
    """Carry out a plan and return what is wrong in the end."""
    researchers: list[Researcher] = []
    faults, at_work = Faults(world), list[Future[None]]()
    with ThreadPoolExecutor(_RESEARCHERS) as people, ThreadPoolExecutor(_MOST_FAULTS_AT_ONCE) as fate:
        for step in steps:
            _wait_for_room(at_work)
            if isinstance(step, Pause):
                time.sleep(step.seconds)
            elif isinstance(step, Fault):
                say(f"fault: {step.name} {' '.join(step.detail)} {step.seconds or ''}")
                at_work.append(fate.submit(faults.befall, step))
            else:
                say(f"job {step.number}: {step.kind}")
                researchers.append(Researcher(world, step))
                at_work.append(people.submit(researchers[-1].try_for_a_while))
    for work in at_work:
        work.result()
    say("all faults are over")
    world.programs.calm()
    world.daemons.restore()
    return see_to_the_end(world, researchers, say)


def _wait_for_room(at_work: list[Future[None]]) -> None:
    """Let the plan wait while everybody is at work: a slow machine gets the same plan, later."""
    poll(lambda: sum(not work.done() for work in at_work) < _RESEARCHERS + _MOST_FAULTS_AT_ONCE, "room", 600)


def see_to_the_end(
    world: World, researchers: Sequence[Researcher], say: Callable[[str], object] = lambda _: None
) -> Result:
    """See every submission to its end, as its researcher would; return what is wrong then."""
    evidence = gather(world, _finish(world, list(researchers), say))
    return Result(evidence, violations(evidence, world.registry_kills + world.mail_ends))


def _finish(world: World, researchers: list[Researcher], say: Callable[[str], object]) -> list[Story]:
    for researcher in researchers:
        researcher.go_on()
        if KINDS[researcher.story.submission.kind].event == "cancel" and researcher.story.is_settled:
            researcher.cancel()
    last = Researcher(world, Submission(world.next_number(), "quick", None, "file"))
    last.try_for_a_while()  # with it the follower looks at the queue once more
    researchers.append(last)
    deadline = time.monotonic() + _END_LIMIT_S
    while unfinished := [one for one in researchers if one.story.job_uuid and not _has_ended(world, one)]:
        say(f"{len(unfinished)} jobs have not ended")
        if time.monotonic() > deadline:
            break
        _wait(world, unfinished[0])
    with ThreadPoolExecutor(_RESEARCHERS) as people:
        list(people.map(lambda researcher: _fetch(world, researcher), researchers))
    _wait_for_mail_and_accounting(world)
    return [researcher.story for researcher in researchers]


def _has_ended(world: World, researcher: Researcher) -> bool:
    """Whether the registry knows of its end, and the cluster knows that it does."""
    job_uuid = researcher.story.job_uuid
    return is_final(str(world.registry_job(job_uuid).get("state"))) and not world.is_active(job_uuid)


def _wait(world: World, researcher: Researcher) -> None:
    """Ask for a job's results, which also revives whatever has died on the cluster, and wait a little for its end."""
    researcher.call("-r", researcher.story.job_uuid, "--to", str(world.results / "early"))
    until = time.monotonic() + _CALL_EVERY_S
    while time.monotonic() < until and not _has_ended(world, researcher):
        time.sleep(0.5)


def _fetch(world: World, researcher: Researcher) -> None:
    """Fetch a job's results, again after what may pass: on a busy machine a login node may not answer in a minute."""
    story = researcher.story
    if KINDS[story.submission.kind].output and world.registry_job(story.job_uuid).get("outcome"):
        for _ in range(_FETCHES):
            call = researcher.call("-r", story.job_uuid, "--to", str(world.results / story.job_uuid))
            if call.exit_code not in TRANSIENT:
                break


def _wait_for_mail_and_accounting(world: World) -> None:
    """Wait until no mail is due any more, and the accounting has caught up."""
    with contextlib.suppress(AssertionError):  # then the checks say what is missing
        poll(lambda: world.mails_due() == 0, "no mail is due any more", _END_LIMIT_S)
        poll(lambda: all(row.state.startswith(_OVER) for row in accounted(world)), "the accounting knows", 120)
