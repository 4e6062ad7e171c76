"""Fetches what a job was made of: what was uploaded, and the script that came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from project.core.errors import TransferFailed, UsageError
from project.services.results import ResultsFolder, incomplete

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from project.ports import Registry, View
    from project.services.far_side import FarSide


class Fetched(NamedTuple):
    """A job whose parts lie in a folder.

    Attributes:
        job: as the registry has it.
        sent: what the cluster was sent: `user_input`, `modules`, `source`.
    """

    job: dict[str, Any]
    sent: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """Fetches the parts of jobs; every attribute is a port or a service."""

    registry: Registry
    far_side: FarSide
    view: View

    def fetch(self, job_uuid: str, folder: Path, overrides: Mapping[str, Any]) -> Fetched:
        """Fetch a job's parcel, its script and, if it is a single file, that file, into `folder`.

        Raises:
            UsageError: it is part of a campaign, which is submitted again from its data.
            TransferFailed: it is not there any more, or did not arrive whole.
        """
        job = self.registry.job(job_uuid)
        if job.get("campaign"):
            raise UsageError(
                "this job is part of a campaign", remedy="Submit its job file again, with the tasks it shall have"
            )
        remote = self.far_side.connect(job, overrides)
        try:
            remote.reach()
            self.view.begin("fetch what it was made of")
            listed = next((event for event in remote.run("bundle", job_uuid) if event["event"] == "bundle"), None)
            if listed is None:
                raise TransferFailed(f"{job['cluster']} did not say what the job was made of", remedy="Try again")
            here = ResultsFolder(folder)
            # A directory came with the parcel; what lies there now may have been built since.
            entries = [
                one for one in listed["files"] if not (one["name"].startswith("work/") and job.get("tar_file"))
            ]
            wanted = [here.result(str(entry["name"]), entry) for entry in entries]
            failed = remote.fetch(wanted, self.view)
            if failed:
                raise incomplete(folder, len(wanted), failed, [])
            self.view.end()
        finally:
            remote.close()
        return Fetched(job, dict(listed["sent"]))
