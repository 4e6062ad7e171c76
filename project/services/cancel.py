"""Cancels jobs: one connection to each cluster, however many jobs are on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from project.core.errors import GridferryError, StillAlive

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from project.ports import Registry, View
    from project.services.far_side import FarSide

_MOST_TOLD = 10


class Cancelled(NamedTuple):
    """How the cancellation of one job went.

    Attributes:
        job_uuid: of the job.
        verdict: "cancelled", "had ended", "lives" or "failed".
        told: how it had ended, what lives on, or what went wrong.
    """

    job_uuid: str
    verdict: str
    told: str = ""


@dataclass(frozen=True, kw_only=True)
class Canceller:
    """Cancels; every attribute is a port or a service."""

    registry: Registry
    far_side: FarSide
    view: View

    def cancel(self, uuids: Sequence[str], tasks: str, overrides: Mapping[str, Any]) -> Iterator[Cancelled]:
        """Yield how it went with each job; what fails with one cluster is told and does not hold up the others.

        Args:
            uuids: of the jobs.
            tasks: array task ids as `--array` has them; "" for whole jobs.
            overrides: `private_key`, `passphrase` or `username` to use.
        """
        clusters: dict[str, list[dict[str, Any]]] = {}
        for job_uuid in uuids:
            job = self.registry.job(job_uuid)
            if job["ended"]:
                yield Cancelled(job_uuid, "had ended", str(job["outcome"] or job["state"]))
            else:
                clusters.setdefault(str(job["cluster"]), []).append(job)
        for jobs in clusters.values():
            try:
                yield from self._cancel_on_one(jobs, tasks, overrides)
            except GridferryError as error:
                self.view.fail()
                if len(uuids) == 1:
                    raise
                yield from (Cancelled(str(job["job_uuid"]), "failed", error.message) for job in jobs)

    def _cancel_on_one(
        self, jobs: list[dict[str, Any]], tasks: str, overrides: Mapping[str, Any]
    ) -> Iterator[Cancelled]:
        """Yield how it went with the jobs of one cluster, which are taken off the list as that becomes known."""
        remote = self.far_side.connect(jobs[0], overrides)
        try:
            remote.reach()
            self.view.begin("cancel")
            for event in remote.run("cancel", tasks, *(str(job["job_uuid"]) for job in jobs)):
                if event["event"] == "cancelled":
                    jobs[:] = [job for job in jobs if job["job_uuid"] != event["job_uuid"]]
                    yield _verdict(event)
        finally:
            remote.close()
        self.view.end()


def _verdict(event: Mapping[str, Any]) -> Cancelled:
    job_uuid, survivors = str(event["job_uuid"]), list(event["survivors"])
    if event["had_ended"]:
        return Cancelled(job_uuid, "had ended", str(event["had_ended"]))
    if not survivors:
        return Cancelled(job_uuid, "cancelled")
    return Cancelled(job_uuid, "lives", "; ".join(_in_words(survivor) for survivor in survivors))


def _in_words(survivor: Mapping[str, Any]) -> str:
    words = (f"tasks {survivor['tasks']}" if survivor["tasks"] else "", survivor["state"], survivor["reason"])
    return " ".join(str(word) for word in words if word and word != "None")


def judge(results: Sequence[Cancelled]) -> None:
    """Raise StillAlive unless everything that was to be cancelled is gone."""
    left = [result for result in results if result.verdict in ("lives", "failed")]
    if left:
        raise StillAlive(
            f"{len(left)} of {len(results)} jobs could not be cancelled",
            remedy="Try again; if that does not help, tell the cluster's administrators",
            detail="\n".join(f"{result.job_uuid}  {result.told}" for result in left[:_MOST_TOLD]),
        )
