"""Removes the folders of ended jobs on their clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from project.core.errors import GridferryError
from project.core.messages import format_utc
from project.services.listing import list_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from project.ports import Clock, Registry, View
    from project.services.far_side import FarSide

Job = dict[str, Any]


class Cleaned(NamedTuple):
    """What became of a job's folder.

    Attributes:
        job_uuid: of the job.
        kept: why it is still there, "" if it is not.
        freed_bytes: how much it held.
    """

    job_uuid: str
    kept: str
    freed_bytes: int


@dataclass(frozen=True, kw_only=True)
class Cleaner:
    """Cleans; every attribute is a port or a service."""

    registry: Registry
    far_side: FarSide
    view: View
    clock: Clock

    def candidates(self, before: str) -> list[Job]:
        """Return the jobs, in short, that have ended, were fetched, and still have their folder.

        Args:
            before: only jobs that were created before this time; "" for all.
        """
        found = list_jobs(self.registry, {"ended": "true", "fetched": "true", "before": before}, None).jobs
        return [job for job in found if not job["cleaned_at"]]

    def clean(self, uuids: Sequence[str], overrides: Mapping[str, Any]) -> Iterator[Cleaned]:
        """Yield what became of each job's folder; a cluster that is away keeps its own and holds up no other."""
        clusters: dict[str, list[Job]] = {}
        for job_uuid in uuids:
            job = self.registry.job(job_uuid)
            if job["ended"]:
                clusters.setdefault(str(job["cluster"]), []).append(job)
            else:
                yield Cleaned(job_uuid, f"it is {job['state']}", 0)
        for jobs in clusters.values():
            try:
                yield from self._clean_on_one(jobs, overrides)
            except GridferryError as error:
                self.view.fail()
                yield from (Cleaned(str(job["job_uuid"]), error.message, 0) for job in jobs)

    def _clean_on_one(self, jobs: list[Job], overrides: Mapping[str, Any]) -> Iterator[Cleaned]:
        """Yield what became of the folders on one cluster; jobs are taken off the list as that becomes known."""
        remote = self.far_side.connect(jobs[0], overrides)
        try:
            remote.reach()
            for event in remote.run("clean", *(str(job["job_uuid"]) for job in jobs)):
                if event["event"] == "cleaned":
                    cleaned = Cleaned(str(event["job_uuid"]), str(event["kept"]), int(event["freed_bytes"]))
                    jobs[:] = [job for job in jobs if job["job_uuid"] != cleaned.job_uuid]
                    if not cleaned.kept:
                        at = format_utc(self.clock.now_s())
                        self.registry.update_job(cleaned.job_uuid, {"cleaned_at": at})
                    yield cleaned
        finally:
            remote.close()
