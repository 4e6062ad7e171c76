"""Fetches what a job was made of: what was uploaded, and the script that came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from project.core.campaign import is_first_part
from project.core.errors import TransferFailed, UsageError
from project.core.placeholders import INDEX
from project.services.campaign.whole import parts_of
from project.services.far_side import FarSide, refuse_cleaned
from project.services.results import ResultsFolder, incomplete

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from project.ports import Registry, View
    from project.services.remote import Remote


class Fetched(NamedTuple):
    """A job whose parts lie in a folder.

    Attributes:
        job: as the registry has it.
        sent: what the cluster was sent: `user_input`, `modules`, `source`.
        tasks: of a campaign, the values of each task, in the order of their numbers.
    """

    job: dict[str, Any]
    sent: dict[str, Any]
    tasks: list[dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """Fetches the parts of jobs; every attribute is a port or a service."""

    registry: Registry
    far_side: FarSide
    view: View

    def fetch(self, job_uuid: str, folder: Path, overrides: Mapping[str, Any]) -> Fetched:
        """Fetch a job's parcel, its script and, if it is a single file, that file, into `folder`.

        Of a campaign that was extended the later parcels come, too, as `parcels/<part>.tar.gz`.

        Raises:
            UsageError: it is a later part of a campaign.
            TransferFailed: it is not there any more, or did not arrive whole.
        """
        job = self.registry.job(job_uuid)
        refuse_cleaned(job)
        uuids = self._uuids(job)
        remote = self.far_side.connect(job, overrides)
        try:
            remote.reach()
            self.view.begin("fetch what it was made of")
            listed = _answers(remote, "bundle", uuids)
            tasks = _answers(remote, "tasks", uuids) if job.get("campaign") else {}
            entries = dict(_entries(job, listed))
            here = ResultsFolder(folder)
            wanted = [here.result(name, entry) for name, entry in entries.items()]
            failed = remote.fetch(wanted, self.view)
            if failed:
                raise incomplete(folder, len(wanted), failed, [])
            self.view.end()
        finally:
            remote.close()
        return Fetched(job, dict(listed[job_uuid]["sent"]), _in_order(tasks.values()))

    def _uuids(self, job: Mapping[str, Any]) -> list[str]:
        """Return the UUIDs of all that a job is made of: of a campaign, its parts."""
        if not job.get("campaign"):
            return [str(job["job_uuid"])]
        campaign = str(job["campaign"]["uuid"])
        if not is_first_part(job):
            raise UsageError("this job is a part of a campaign", remedy=f"Name the campaign: {campaign}")
        return [str(part["job_uuid"]) for part in parts_of(self.registry, campaign)]


def _answers(remote: Remote, command: str, uuids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what the cluster says about each job, in the order of the jobs."""
    told = {str(event["job_uuid"]): event for event in remote.run(command, *uuids) if event["event"] == command}
    if set(told) != set(uuids):
        raise TransferFailed("the cluster did not say what the job was made of", remedy="Try again")
    return {job_uuid: told[job_uuid] for job_uuid in uuids}


def _entries(
    job: Mapping[str, Any], listed: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what to fetch: all of the job itself, or of a campaign's first part, and the others' parcels."""
    for job_uuid, event in listed.items():
        for entry in event["files"]:
            name = str(entry["name"])
            if job_uuid == job["job_uuid"]:
                # A directory came with the parcel; what lies there now may have been built since.
                if not (name.startswith("work/") and job.get("tar_file")):
                    yield name, entry
            elif name == "parcel.tar.gz":
                yield f"parcels/{job_uuid}.tar.gz", entry


def _in_order(answers: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the values of all tasks by their numbers; one that was repeated is one."""
    tasks = {int(values[INDEX]): dict(values) for answer in answers for values in answer["tasks"].values()}
    return [tasks[index] for index in sorted(tasks)]
