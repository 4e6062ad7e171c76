"""Further Slurm jobs of one UUID: held, so that they never run the user's commands; told and cancelled when met."""

import re
from typing import Iterable, Mapping, Set, Tuple

from project.core.job_file.kinds import UUID_PATTERN
from project.core.layout import ClusterPaths
from project.core.slurm.commands import QueueRow
from project.core.slurm.states import is_end_state
from project.core.states import GatewayState
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.journal import Journal
from project.wrapper.scheduler import Scheduler

_NONE = "none"
_UUID = re.compile(UUID_PATTERN)


def cancel_surplus(slurm: Scheduler, journal: Journal, slurm_job_id: str) -> None:
    """Tell of a surplus job, then cancel it: in this order, so that none is cancelled that nobody hears of.

    Raises:
        SchedulerUnavailable: it may still be there; whoever meets it next cancels it.
    """
    message = f"Slurm held a second job {slurm_job_id} for this one; it never runs its commands and is cancelled"
    journal.append("notice", {"severity": "warning", "stage": "submission", "message": message, "detail": ""})
    slurm.cancel(slurm_job_id)


def surplus_in(queue: Iterable[QueueRow], paths: ClusterPaths, known: Mapping[str, str]) -> Set[Tuple[str, str]]:
    """Return UUID and id of every live Slurm job that bears the name of a job of ours under another id than its own.

    Slurm may execute an sbatch long after that gave up, even after the job has ended: so all jobs are looked at,
    whether they are followed or not. A job without an id is being submitted, unless it has ended with an error.

    Args:
        queue: squeue's rows of the user.
        paths: of this cluster.
        known: ids by UUID, as far as they have been read already.
    """
    live = {
        (row.name, row.slurm_job_id) for row in queue if _UUID.fullmatch(row.name) and not is_end_state(row.state)
    }
    return {(name, found) for name, found in live if (known.get(name) or _own(paths, name)) not in ("", found)}


def _own(paths: ClusterPaths, job_uuid: str) -> str:
    job_paths = paths.job(job_uuid)
    known = (files.read_text(job_paths.slurm_job_id) or "").strip()
    if known or Journal(job_uuid, job_paths, Clock()).last_state() != GatewayState.ERROR.value:
        return known
    return _NONE
