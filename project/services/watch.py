"""Watches jobs, however many, by one question a round, until all have ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.campaign import is_first_part
from project.core.errors import NotEnded, RegistryError, RegistryUnavailable
from project.core.states import is_final
from project.services.campaign.whole import parts_of
from project.services.listing import list_jobs
from project.services.pauses import waits_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from project.ports import Clock, Registry

Jobs = dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Watches; every attribute is a port."""

    registry: Registry
    clock: Clock

    def watch(
        self, uuids: Sequence[str], show: Callable[[Sequence[Mapping[str, Any]]], None], limit_s: float | None = None
    ) -> list[dict[str, Any]]:
        """Return the jobs, in short, once nothing is left to do for any.

        Args:
            uuids: of the jobs, a campaign's for all of its parts, those added meanwhile, too; none for all that have
                not ended, and those that are submitted meanwhile.
            show: called with the jobs in each round, changed or not.
            limit_s: how long to watch at most.

        Raises:
            NotEnded: the limit came first.
            RegistryError: one of them is none of the user's.
        """
        jobs: Jobs = {}
        pauses, started_s = waits_s(), self.clock.now_s()
        while True:
            before = _standing(jobs)
            asked = self._ask(uuids, jobs)
            show(list(jobs.values()))
            active = [job for job in jobs.values() if not _is_done(job)]
            if asked and not active:
                return list(jobs.values())
            if limit_s is not None and self.clock.now_s() - started_s >= limit_s:
                raise NotEnded(f"{len(active)} of {len(jobs)} jobs have not ended", remedy="Wait again")
            if _standing(jobs) != before:
                pauses = waits_s()
            self.clock.sleep(next(pauses))

    def _ask(self, uuids: Sequence[str], jobs: Jobs) -> bool:
        """Bring `jobs` up to date; False, and they stay as they were, while the registry is away."""
        open_ones = _open(jobs)
        wanted = [job_uuid for job_uuid in list(uuids) or list(jobs) if job_uuid in open_ones or job_uuid not in jobs]
        try:
            found = [] if uuids else list_jobs(self.registry, {"ended": "false"}, None).jobs
            for job in self.registry.jobs_beginning(wanted):
                found += parts_of(self.registry, str(job["job_uuid"])) if uuids and is_first_part(job) else [job]
        except RegistryUnavailable:
            return False
        jobs.update({str(job["job_uuid"]): job for job in found})
        unknown = [job_uuid for job_uuid in uuids if job_uuid not in jobs]
        if unknown:
            raise RegistryError(f"the registry knows no job {unknown[0]} of yours", remedy="`list` shows them")
        return True


def _open(jobs: Jobs) -> set[str]:
    """Return the UUIDs of jobs for which something is left to do, and of campaigns with such a part."""
    left = [job for job in jobs.values() if not _is_done(job)]
    campaigns = {str(job["campaign"]["uuid"]) for job in left if job.get("campaign")}
    return campaigns | {str(job["job_uuid"]) for job in left}


def _is_done(job: Mapping[str, Any]) -> bool:
    return is_final(str(job["state"]))


def _standing(jobs: Jobs) -> list[tuple[Any, ...]]:
    """Return how all jobs stand; of many tasks one begins or ends all the time, so that these do not count."""
    return [(job["state"], job["outcome"]) for job in jobs.values()]
