"""The wrapper's commands: `python3 -I -S wrapper-<sha12>.pyz COMMAND [UUID]`.

The archive lies in `<root>/control/`, and that is how it knows where everything else is.
"""

import os
import sys
from typing import Callable, Dict, List

from project.core.errors import ExitCode, GridferryError
from project.core.layout import ClusterPaths
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.detach import detach
from project.wrapper.events import Events
from project.wrapper.job import open_job
from project.wrapper.lease import Lease
from project.wrapper.shell import own_command, spawn

_STDOUT = 1
_LOOK_EVERY_S = 0.5


def _paths() -> ClusterPaths:
    return ClusterPaths(os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0]))))


def _start(command: str, *words: str) -> None:
    """Start another of our commands in the background, free of this login."""
    log = os.path.join(_paths().follower, "log")
    spawn(own_command(command, *words), log=log)


def _run(job_uuid: str, events: Events) -> None:
    """Take a job into the queue, resuming where an earlier try ended."""
    from project.wrapper.pipeline import Pipeline, refuse_ended  # noqa: PLC0415 - the follower starts faster without it
    from project.wrapper.prepare import prepare  # noqa: PLC0415
    from project.wrapper.slurm import Slurm  # noqa: PLC0415

    paths, clock = _paths(), Clock()
    lease = Lease(paths.job(job_uuid).lease)
    while not lease.acquire():  # another process is at work on this job: go on from where it ends
        clock.sleep(_LOOK_EVERY_S)
    lease.keep_alive()
    try:
        prepare(paths, job_uuid)
        ensure_follower(paths)
        job = open_job(paths, job_uuid, clock, events.entry)
        refuse_ended(job)
        Pipeline(job, paths, Slurm(), lease, clock, events).run()
        events.end(slurm_job_id=files.read_text(job.paths.slurm_job_id))
    finally:
        lease.release()


def ensure_follower(paths: ClusterPaths) -> None:
    """Start the follower unless one is alive."""
    if not Lease(paths.follower).is_held():
        _start("follow")


def _guarded(work: Callable[[str, Events], None], job_uuid: str, events: Events) -> int:
    """Do work for a job; an error becomes an event and an exit code."""
    try:
        work(job_uuid, events)
    except GridferryError as error:
        events.error(error)
        return error.exit_code
    return ExitCode.OK


def _command_run(job_uuid: str) -> int:
    """Run the pipeline in a process of its own, so that it goes on when the connection is lost."""
    log = _paths().job(job_uuid).log("pipeline")
    return detach(lambda descriptor: _guarded(_run, job_uuid, Events(descriptor)), log=log)


def _command_resume(job_uuid: str) -> int:
    return _guarded(_run, job_uuid, Events(_STDOUT))


def _command_follow(_: str) -> int:
    from project.wrapper.compiled import keep_compiled  # noqa: PLC0415 - only this command needs it
    from project.wrapper.follow.loop import Follower  # noqa: PLC0415
    from project.wrapper.follow.report import Reporter  # noqa: PLC0415
    from project.wrapper.slurm import Slurm  # noqa: PLC0415

    keep_compiled(sys.argv[0])
    paths = _paths()
    Follower(paths, Slurm(), Reporter(paths), Lease(paths.follower), Clock(), _start).run()
    return ExitCode.OK


def _command_postprocess(job_uuid: str) -> int:
    from project.wrapper.postprocess import postprocess  # noqa: PLC0415 - only this command needs it

    lease = Lease(_paths().job(job_uuid).lease)
    if not lease.acquire():  # then somebody else does it
        return ExitCode.OK
    lease.keep_alive()
    try:
        postprocess(open_job(_paths(), job_uuid, Clock()))
    finally:
        lease.release()
    return ExitCode.OK


def _command_manifest(job_uuid: str) -> int:
    from project.wrapper.manifest import manifest  # noqa: PLC0415 - only this command needs it

    def work(job_uuid: str, events: Events) -> None:
        job = open_job(_paths(), job_uuid, Clock())
        ensure_follower(_paths())
        events.send("manifest", manifest=manifest(job.paths, job.spec.output))

    return _guarded(work, job_uuid, Events(_STDOUT))


def _command_journal(job_uuid: str) -> int:
    """Hand over what the registry has not acknowledged, for a client that can reach it."""

    def work(job_uuid: str, events: Events) -> None:
        job = open_job(_paths(), job_uuid, Clock())
        ensure_follower(_paths())
        events.send("journal", entries=job.journal.unsent())

    return _guarded(work, job_uuid, Events(_STDOUT))


_COMMANDS: Dict[str, Callable[[str], int]] = {
    "run": _command_run,
    "resume": _command_resume,
    "follow": _command_follow,
    "postprocess": _command_postprocess,
    "manifest": _command_manifest,
    "journal": _command_journal,
}


def main(argv: List[str]) -> int:
    """Run one command, named by the first word, on the job named by the second; return its exit code."""
    os.umask(0o077)
    command, job_uuid = [*argv, "", ""][:2]
    if command not in _COMMANDS:
        sys.stderr.write("usage: wrapper {} [UUID]\n".format("|".join(_COMMANDS)))
        return ExitCode.USAGE
    return int(_COMMANDS[command](job_uuid))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
