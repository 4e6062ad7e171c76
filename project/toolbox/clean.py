"""Removes the folder of a job that has ended and told everything; of any other it keeps its hands."""

import os
import re
import shutil
from typing import List, NamedTuple

from project.core.errors import UsageError
from project.core.layout import ClusterPaths
from project.core.states import is_final
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.job import open_job
from project.wrapper.lease import Lease

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Cleaned(NamedTuple):
    """What became of a job's folder.

    Attributes:
        kept: why it is still there, "" if it is not.
        freed_bytes: how much it held.
    """

    kept: str = ""
    freed_bytes: int = 0


def clean(paths: ClusterPaths, job_uuid: str) -> Cleaned:
    """Remove a job's folder, unless there is still something to do or to tell.

    Raises:
        UsageError: that is no job's UUID.
    """
    if _UUID.fullmatch(job_uuid) is None:
        raise UsageError(f"{job_uuid!r} is no job's UUID")
    job_paths = paths.job(job_uuid)
    if not os.path.isdir(job_paths.directory):
        return Cleaned()
    if files.read_json(job_paths.spec) is not None:
        job = open_job(paths, job_uuid, Clock())
        if not is_final(job.journal.last_state()):
            return Cleaned(f"it is {job.journal.last_state() or 'being prepared'}")
        if job.journal.has_unsent():
            return Cleaned("the registry has not been told everything of it yet; retrieve brings that along")
        if any(part != job_uuid for part in _active_parts(paths, job_uuid)):
            return Cleaned("other parts of its campaign work in it, and have not ended")
    elif Lease(job_paths.lease).is_held():
        return Cleaned("somebody is at work on it")
    freed_bytes = _size(job_paths.directory)
    files.remove(os.path.join(paths.active, job_uuid))
    shutil.rmtree(job_paths.directory)
    return Cleaned(freed_bytes=freed_bytes)


def _active_parts(paths: ClusterPaths, campaign: str) -> List[str]:
    """Return the parts of a campaign that have not ended; all work in the folder of its first."""
    active = os.listdir(paths.active) if os.path.isdir(paths.active) else []
    specs = {job_uuid: files.read_json(paths.job(job_uuid).spec) or {} for job_uuid in active if "." not in job_uuid}
    return [job_uuid for job_uuid, sent in specs.items() if (sent.get("campaign") or {}).get("campaign") == campaign]


def _size(folder: str) -> int:
    """Return how many bytes the files below a folder hold; links are not followed."""
    return sum(os.lstat(os.path.join(parent, name)).st_size for parent, _, names in os.walk(folder) for name in names)
