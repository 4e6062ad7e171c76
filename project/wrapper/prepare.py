"""Makes a job's folder ready: everything unpacked, every folder there, known to the follower."""

import contextlib
import os

from project.core.layout import ClusterPaths, JobPaths
from project.wrapper import files
from project.wrapper.parcel import unpack


def prepare(paths: ClusterPaths, job_uuid: str) -> None:
    """Unpack the parcel and mark the job active; again and again with the same result."""
    job = paths.job(job_uuid)
    _make_folders(paths, job)
    unpacked = os.path.join(job.steps, "unpack")
    if files.read_text(unpacked) is None:
        unpack(job.parcel, job.directory)
        _move_data(job)
        _settle_parts(paths, job)
    files.create(os.path.join(paths.active, job_uuid), b"")  # also of one let go: who resumes may have more to tell
    files.create(unpacked, b"")


def _make_folders(paths: ClusterPaths, job: JobPaths) -> None:
    for folder in (paths.active, job.work, job.modules, job.journal, job.marks, job.steps):
        files.make_folder(folder)


def _move_data(job: JobPaths) -> None:
    """Move the data that extends a campaign to where its tasks run; what lies there already stays."""
    campaign = files.read_json(job.spec).get("campaign")
    home = job.beside(campaign["campaign"]) if campaign else job
    if home == job:
        return
    for folder, _, names in os.walk(job.work):
        target = os.path.join(home.work, os.path.relpath(folder, job.work))
        files.make_folder(target)
        for name in names:
            with contextlib.suppress(FileExistsError):
                os.link(os.path.join(folder, name), os.path.join(target, name))


def _settle_parts(paths: ClusterPaths, job: JobPaths) -> None:
    """Give each further part of a campaign its folder, and the follower word of it: it sees to their submission."""
    for job_uuid in sorted(os.listdir(job.parts)) if os.path.isdir(job.parts) else ():
        part = paths.job(job_uuid)
        _make_folders(paths, part)
        brought = os.path.join(job.parts, job_uuid)
        for name in sorted(os.listdir(brought)):
            os.rename(os.path.join(brought, name), os.path.join(part.directory, name))
        files.create(os.path.join(part.steps, "unpack"), b"")
        files.create(os.path.join(paths.active, job_uuid), b"")
        os.rmdir(brought)
