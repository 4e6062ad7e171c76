"""Jobs that must have ended well first: their UUIDs become Slurm ids, each looked at before Slurm is asked to wait.

Slurm starts a job at once whose dependency names an id it does not know (measured), so that is never left to it.
"""

from typing import List, Optional, Sequence

from project.core.errors import SubmissionRefused
from project.core.layout import ClusterPaths
from project.core.slurm.states import aggregate, parse_state
from project.core.states import is_success
from project.wrapper import files
from project.wrapper.scheduler import Scheduler


def parents_to_wait_for(paths: ClusterPaths, slurm: Scheduler, job_uuids: Sequence[str]) -> List[str]:
    """Return the Slurm ids of those parents that have not ended yet.

    Raises:
        SubmissionRefused: a parent is not known here, or has not ended well.
        SchedulerUnavailable: Slurm does not say how they are.
    """
    waiting = []
    for job_uuid in job_uuids:
        slurm_job_id = _slurm_job_id(paths, job_uuid)
        state = _state(slurm, job_uuid, slurm_job_id)
        if state is None or not parse_state(state).ended:
            waiting.append(slurm_job_id)
        elif not is_success(state):
            raise SubmissionRefused(
                f"job {job_uuid} did not end well ({state}), so this one does not start",
                remedy="Submit that one again, then this one with its new UUID",
            )
    return waiting


def _slurm_job_id(paths: ClusterPaths, job_uuid: str) -> str:
    known = (files.read_text(paths.job(job_uuid).slurm_job_id) or "").strip()
    if not known:
        raise SubmissionRefused(
            f"no job {job_uuid} of yours is in this cluster's Slurm",
            remedy="`dependencies` names jobs on the same cluster that have been queued already",
        )
    return known


def _state(slurm: Scheduler, job_uuid: str, slurm_job_id: str) -> Optional[str]:
    """Return the parent's state, None while the accounting has not heard of it."""
    queued = [row for row in slurm.queue(job_uuid) if row.slurm_job_id == slurm_job_id]
    live = [state for state in (parse_state(row.state) for row in queued) if not state.ended]
    if live:
        return live[0].word
    rows = [row for row in slurm.account([slurm_job_id]) if row["JobName"] == job_uuid]
    return aggregate(parse_state(row["State"]) for row in rows)
