"""A campaign's parts take turns: each is an ordinary job that is submitted once there is room for its tasks."""

import os

from project.core.errors import StageFailed, SubmissionRefused, WaitsForRoom
from project.core.slurm.ids import parse_task_list
from project.core.slurm.refusals import is_about_limits
from project.core.slurm.states import parse_state
from project.core.states import GatewayState
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.job import SUBMISSION, Job
from project.wrapper.journal import Journal
from project.wrapper.scheduler import Scheduler


def is_its_turn(job: Job) -> bool:
    """Whether the part before this one is in Slurm's queue, or will never be: a look at the disk, no query."""
    if job.part is None or not job.part.after:
        return True
    before = job.paths.beside(job.part.after)
    return os.path.exists(os.path.join(before.steps, SUBMISSION)) or _failed(job, job.part.after)


def wait_for_turn(job: Job) -> None:
    """Check that this part may be submitted.

    Raises:
        WaitsForRoom: not yet; the follower tries again.
        StageFailed: never, since the campaign's first part could not be prepared.
    """
    if not is_its_turn(job):
        raise WaitsForRoom("the part before this one is not in the queue yet", remedy="It follows by itself")
    if job.is_prepared_elsewhere and _failed(job, job.home.job_uuid):
        raise StageFailed("the campaign's first part ended with an error", remedy="Its mail says which")


def wait_for_room(job: Job, slurm: Scheduler) -> None:
    """Check that the user's limit lets all tasks of this part into the queue.

    Raises:
        WaitsForRoom: not yet; the follower tries again.
    """
    part = job.part
    if part is None or part.most_queued is None:
        return
    queued = _queued(slurm)
    if queued and queued + part.tasks > part.most_queued:
        raise WaitsForRoom(
            f"{queued} of your jobs are queued, and the cluster takes {part.most_queued} of you",
            remedy="It follows by itself once there is room",
        )


def refused_for_room(job: Job, slurm: Scheduler, error: SubmissionRefused) -> bool:
    """Whether Slurm refused a part because of a limit it had not told, which the user's other jobs have reached."""
    return job.part is not None and is_about_limits(error.detail) and _queued(slurm) > 0


def slurm_id_before(job: Job) -> str:
    """Return the Slurm id of the part whose end this one waits for, "" if it waits for none."""
    if job.part is None or not (job.part.chained and job.part.after):
        return ""
    return (files.read_text(job.paths.beside(job.part.after).slurm_job_id) or "").strip()


def _failed(job: Job, job_uuid: str) -> bool:
    journal = Journal(job_uuid, job.paths.beside(job_uuid), Clock())
    return journal.last_state() == GatewayState.ERROR.value


def _queued(slurm: Scheduler) -> int:
    """Return how many jobs and array tasks of the user are in the queue and have not ended."""
    rows = [row for row in slurm.queue() if not parse_state(row.state).ended]
    return sum(1 if row.tasks in ("", "N/A") else len(parse_task_list(row.tasks)) for row in rows)
