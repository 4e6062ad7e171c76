"""The toolbox's commands: `python3 -I -S toolbox-<sha12>.pyz COMMAND [WORD ...]`; the wrapper's are among them."""

import json
import sys
from typing import Callable, Dict, List, Sequence

from project.toolbox.logs import LogRequest, send_logs
from project.toolbox.manifest import manifest
from project.wrapper import __main__ as wrapper
from project.wrapper import calls
from project.wrapper.calls import Command, own_paths
from project.wrapper.clock import Clock
from project.wrapper.events import Events
from project.wrapper.job import Job, open_job


def _of_a_job(work: Callable[[Job, Events], None]) -> Command:
    """Return the command that does `work` for the job named by its word; a follower that died is started again."""

    def command(words: Sequence[str]) -> int:
        def opened(events: Events) -> None:
            (job_uuid,) = words
            job = open_job(own_paths(), job_uuid, Clock())
            calls.ensure_follower(own_paths())
            work(job, events)

        return calls.guarded(opened, Events(calls.STDOUT))

    return command


def _manifest(job: Job, events: Events) -> None:
    """List what the job left behind."""
    events.send("manifest", manifest=manifest(job.paths, job.spec.output))


def _journal(job: Job, events: Events) -> None:
    """Hand over what the registry has not acknowledged, for a client that can reach it."""
    events.send("journal", entries=job.journal.unsent())


def _logs(words: Sequence[str]) -> int:
    """Send what a job printed."""
    job_uuid, request = words

    def followed(events: Events) -> None:
        job = open_job(own_paths(), job_uuid, Clock())
        calls.ensure_follower(own_paths())
        send_logs(job, LogRequest(**json.loads(request)), events, Clock())

    return calls.guarded(followed, Events(calls.STDOUT))


COMMANDS: Dict[str, Command] = dict(
    wrapper.COMMANDS, manifest=_of_a_job(_manifest), journal=_of_a_job(_journal), logs=_logs
)


def main(argv: List[str]) -> int:
    """Run one command, named by the first word; return its exit code."""
    return calls.call("toolbox", COMMANDS, argv)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
