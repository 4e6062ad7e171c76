"""The toolbox's commands: `python3 -I -S toolbox-<sha12>.pyz COMMAND [WORD ...]`; the wrapper's are among them.

What only one command needs is imported by it: each is a process of its own, and most of its time is its start.
"""

import json
import os
import sys
from typing import Callable, Dict, List, Sequence

from project.core.messages import Document
from project.toolbox.survival import look
from project.wrapper import __main__ as wrapper
from project.wrapper import calls, files
from project.wrapper.calls import Command, own_paths
from project.wrapper.clock import Clock
from project.wrapper.events import Events
from project.wrapper.identity import current_login
from project.wrapper.job import Job, open_job
from project.wrapper.scheduler import own_scheduler


def _of_a_job(work: Callable[[Job, Events], None]) -> Command:
    """Return the command that does `work` for each job named by a word; a follower that died is started again."""

    def command(words: Sequence[str]) -> int:
        def opened(events: Events) -> None:
            for job_uuid in words:
                work(_visited(job_uuid), events)

        return calls.guarded(opened, Events(calls.STDOUT))

    return command


def _results(words: Sequence[str], events: Events) -> None:
    """Hand over what the registry has not heard of these jobs, then list what those that have ended left behind.

    What is small comes along. The hashes of large files come last: the client fetches them meanwhile.
    """
    from project.toolbox.contents import bring_along  # noqa: PLC0415 - only this command needs it
    from project.toolbox.manifest import hash_of, manifest  # noqa: PLC0415 - only this command needs it
    from project.toolbox.part_manifest import part_manifest  # noqa: PLC0415 - only this command needs it

    jobs = [_visited(job_uuid) for job_uuid in words]
    for job in jobs:
        _journal(job, events)
    unhashed: List[str] = []
    for job in jobs:
        if job.journal.has_end():
            listed = part_manifest(job) if job.part else manifest(job.paths, job.spec.output)
            unhashed += [entry["path"] for entry in listed["files"] if not entry["sha256"]]
            bring_along(listed)
            events.send("manifest", job_uuid=job.job_uuid, manifest=listed)
    for path in unhashed:
        events.send("hash", path=path, sha256=hash_of(path))


def _tasks(job: Job, events: Events) -> None:
    """List the tasks of a campaign's part, and the modules that run after its end."""
    from project.toolbox.part_manifest import tasks_of  # noqa: PLC0415 - only this command needs it

    modules = [module for module in job.sent["modules"] if module["stage"] == "postprocessing"]
    events.send("tasks", job_uuid=job.job_uuid, tasks=tasks_of(job), modules=modules)


def _journal(job: Job, events: Events) -> None:
    """Hand over what the registry has not acknowledged, for a client that can reach it."""
    events.send("journal", entries=list(job.journal.unsent()))


def _bundle(job: Job, events: Events) -> None:
    """List what a job was made of: what was uploaded, and the script."""
    from project.toolbox.bundle import parts_of  # noqa: PLC0415 - only this command needs it

    events.send("bundle", job_uuid=job.job_uuid, sent=job.sent, files=parts_of(job))


def _clean(words: Sequence[str], events: Events) -> None:
    """Remove the folders of jobs that have ended: their UUIDs."""
    from project.toolbox.clean import clean  # noqa: PLC0415 - only this command needs it

    for job_uuid in words:
        events.send("cleaned", job_uuid=job_uuid, **clean(own_paths(), job_uuid)._asdict())


def _guarded(work: Callable[[Sequence[str], Events], None]) -> Command:
    """Return the command that does `work` with its words."""

    def command(words: Sequence[str]) -> int:
        return calls.guarded(lambda events: work(words, events), Events(calls.STDOUT))

    return command


def _logs(words: Sequence[str], events: Events) -> None:
    """Send what a job printed: its UUID, and what is wanted as JSON."""
    from project.toolbox.logs import LogRequest, send_logs  # noqa: PLC0415 - only this command needs it

    job_uuid, request = words
    send_logs(_visited(job_uuid), LogRequest(**json.loads(request)), events, Clock())


def _cancel(words: Sequence[str], events: Events) -> None:
    """Cancel jobs: tasks of the only one (or ""), and their UUIDs."""
    from project.toolbox.cancel import Cancellation  # noqa: PLC0415 - only this command needs it

    tasks, *uuids = words
    jobs = [_visited(job_uuid) for job_uuid in uuids]
    Cancellation(jobs, tasks, own_scheduler(own_paths()), events, Clock(), calls.start).run()


def _limits(words: Sequence[str], events: Events) -> None:
    """Say how much Slurm takes of the user at a time, under the account and QOS given (or "")."""
    events.send("limits", **own_scheduler(own_paths()).limits(*words)._asdict())


def _visited(job_uuid: str) -> Job:
    """Return a job; each visit tells more of what outlives a login, and starts a follower that died again."""
    job = open_job(own_paths(), job_uuid, Clock())
    _look()
    calls.ensure_follower(job)
    return job


def _look() -> Document:
    """Find out what outlives a login here, a step further with each login."""
    login = current_login()
    return look(own_paths(), login, Clock()) if login else {}


def _survival(words: Sequence[str], events: Events) -> None:
    """Tell what outlives a login here: one login begins to find out, the next one can tell; `anew` forgets first."""
    if words:
        files.remove(own_paths().survival)
    events.send("survival", finding=_look())


def _forecast(words: Sequence[str], events: Events) -> None:
    """Say when a job with these options of sbatch would start here, and how things are."""
    from project.toolbox.forecast import TIMEOUT_S, Oracle, foretell  # noqa: PLC0415 - only this command needs it

    events.send("forecast", **foretell(words, Oracle(TIMEOUT_S), Clock()))


def _status(_: Sequence[str], events: Events) -> None:
    """Say how this cluster is."""
    from project.toolbox.forecast import TIMEOUT_S  # noqa: PLC0415 - only this command needs it
    from project.wrapper.slurm import Slurm  # noqa: PLC0415 - only this command needs it

    events.send("status", status=Slurm(TIMEOUT_S).status(Clock().now_utc()))


def _scan(_: Sequence[str], events: Events) -> None:
    """Say what this cluster is like."""
    from project.toolbox.doctor.patient import LIMIT_S, DoctorSlurm  # noqa: PLC0415 - only this command needs it
    from project.toolbox.scan import scan  # noqa: PLC0415 - only this command needs it

    events.send("scan", **scan(DoctorSlurm(LIMIT_S), Clock()))


def _examine(words: Sequence[str], events: Events) -> None:
    """Look at all that a job needs here; what to look at stands in a file beside us, which is removed."""
    from project.toolbox.doctor.checks import examine  # noqa: PLC0415 - only this command needs it
    from project.toolbox.doctor.patient import LIMIT_S, DoctorSlurm, Patient  # noqa: PLC0415 - only this command needs it

    (name,) = words
    path = os.path.join(own_paths().control, os.path.basename(name))
    asked = files.read_json(path)
    files.remove(path)
    patient = Patient(own_paths(), asked["cluster"], asked["registry"], DoctorSlurm(LIMIT_S), Clock())
    events.send("clock", now=Clock().now_utc())
    for finding in examine(patient):
        events.send("finding", finding=finding)


COMMANDS: Dict[str, Command] = dict(
    wrapper.COMMANDS,
    results=_guarded(_results),
    bundle=_of_a_job(_bundle),
    clean=_guarded(_clean),
    tasks=_of_a_job(_tasks),
    logs=_guarded(_logs),
    cancel=_guarded(_cancel),
    limits=_guarded(_limits),
    examine=_guarded(_examine),
    scan=_guarded(_scan),
    status=_guarded(_status),
    survival=_guarded(_survival),
    forecast=_guarded(_forecast),
)


def main(argv: List[str]) -> int:
    """Run one command, named by the first word; return its exit code."""
    return calls.call("toolbox", COMMANDS, argv)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
