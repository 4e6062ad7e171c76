"""Makes a job's folder ready: everything unpacked, every folder there, known to the follower."""

import os

from project.core.layout import ClusterPaths
from project.wrapper import files
from project.wrapper.parcel import unpack


def prepare(paths: ClusterPaths, job_uuid: str) -> None:
    """Unpack the parcel and mark the job active; again and again with the same result."""
    job = paths.job(job_uuid)
    for folder in (paths.active, job.work, job.modules, job.journal, job.marks, job.steps):
        files.make_folder(folder)
    unpacked = os.path.join(job.steps, "unpack")
    if files.read_text(unpacked) is None:
        unpack(job.parcel, job.directory)
        files.create(os.path.join(paths.active, job_uuid), b"")
        files.create(unpacked, b"")
