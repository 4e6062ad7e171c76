"""The wrapper's commands: `python3 -I -S wrapper-<sha12>.pyz COMMAND [UUID]`."""

import contextlib
import json
import sys
from functools import partial
from typing import Dict, List, Sequence

from project.core.errors import ExitCode
from project.wrapper import calls, files
from project.wrapper.calls import Command, own_paths
from project.wrapper.clock import Clock
from project.wrapper.detach import detach
from project.wrapper.events import Events
from project.wrapper.job import open_job
from project.wrapper.lease import Lease, LeaseLost

_LOOK_EVERY_S = 0.5


def _run(job_uuid: str, events: Events) -> None:
    """Take a job into the queue; where another process is at work on it, go on from where that ends."""
    clock, lease = Clock(), Lease(own_paths().job(job_uuid).lease)
    while True:
        while not lease.acquire():
            clock.sleep(_LOOK_EVERY_S)
        with contextlib.suppress(LeaseLost):
            return _run_alone(job_uuid, lease, clock, events)


def _run_alone(job_uuid: str, lease: Lease, clock: Clock, events: Events) -> None:
    """Take a job into the queue while its lease is ours, resuming where an earlier try ended."""
    from project.wrapper.pipeline import Pipeline, refuse_ended  # noqa: PLC0415 - the follower starts faster without it
    from project.wrapper.prepare import prepare  # noqa: PLC0415
    from project.wrapper.scheduler import own_scheduler  # noqa: PLC0415

    paths = own_paths()
    lease.keep_alive()
    try:
        prepare(paths, job_uuid)
        job = open_job(paths, job_uuid, clock, events.entry)
        calls.ensure_follower(job)
        refuse_ended(job)
        Pipeline(job, paths, own_scheduler(paths), lease, clock, events).run()
        events.end(slurm_job_id=files.read_text(job.paths.slurm_job_id))
    finally:
        lease.release()


def _command_run(words: Sequence[str]) -> int:
    """Run the pipeline in a process of its own, so that it goes on when the connection is lost."""
    (job_uuid,) = words
    log = own_paths().job(job_uuid).log("pipeline")
    return detach(lambda descriptor: _guarded_run(job_uuid, descriptor), log=log)


def _command_resume(words: Sequence[str]) -> int:
    (job_uuid,) = words
    return _guarded_run(job_uuid, calls.STDOUT)


def _guarded_run(job_uuid: str, descriptor: int) -> int:
    return calls.guarded(lambda events: _run(job_uuid, events), Events(descriptor))


def _command_follow(words: Sequence[str]) -> int:
    """Follow; the word, if there is one, is the login that started us."""
    from project.wrapper.compiled import keep_compiled  # noqa: PLC0415 - only this command needs it
    from project.wrapper.follow.loop import Follower  # noqa: PLC0415
    from project.wrapper.follow.report import Reporter  # noqa: PLC0415
    from project.wrapper.scheduler import own_scheduler  # noqa: PLC0415

    with contextlib.suppress(OSError):  # it only makes starts faster
        keep_compiled(sys.argv[0])
    paths = own_paths()
    lease = Lease(paths.follower, login=json.loads(words[0]) if words else None)
    Follower(paths, own_scheduler(paths), partial(Reporter, paths), lease, Clock(), calls.start).run()
    return ExitCode.OK


def _command_postprocess(words: Sequence[str]) -> int:
    from project.wrapper.postprocess import postprocess  # noqa: PLC0415 - only this command needs it

    (job_uuid,) = words
    lease = Lease(own_paths().job(job_uuid).lease)
    if not lease.acquire():  # then somebody else does it
        return ExitCode.OK
    lease.keep_alive()
    try:
        postprocess(open_job(own_paths(), job_uuid, Clock()))
    finally:
        lease.release()
    return ExitCode.OK


COMMANDS: Dict[str, Command] = {
    "run": _command_run,
    "resume": _command_resume,
    "follow": _command_follow,
    "postprocess": _command_postprocess,
}


def main(argv: List[str]) -> int:
    """Run one command, named by the first word, on the job named by the second; return its exit code."""
    return calls.call("wrapper", COMMANDS, argv)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
