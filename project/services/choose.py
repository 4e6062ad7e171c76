"""The ways a job may go: one cluster that was named, or several in the order in which they suit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.core.errors import GridferryError, SubmissionRefused, Unreachable
from project.services.scout import Scout, candidates
from project.services.select_cluster import Cluster, find_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from project.core.ranking import Ranked
    from project.ports import LoginNode, View
    from project.services.reach import Reacher
    from project.services.request import SubmitRequest


@dataclass(frozen=True)
class Way:
    """A cluster a job can go to now.

    Attributes:
        cluster: its document.
        node: connection to it; whoever takes the way closes it.
        starts_in_s: when the job would start there, None if nobody asked.
        is_last: whether there is no other.
    """

    cluster: Cluster
    node: LoginNode
    starts_in_s: float | None = None
    is_last: bool = True


@dataclass(frozen=True, kw_only=True)
class Chooser:
    """Finds ways; every attribute is a port or a service."""

    reacher: Reacher
    scout: Scout
    view: View
    show_ranking: Callable[[Sequence[Ranked]], None]

    def ways(self, request: SubmitRequest, clusters: Sequence[Cluster]) -> Iterator[Way]:
        """Yield the ways a job may go, the best first; the next one is connected to when it is asked for.

        Raises:
            UsageError: the job file names no cluster that takes jobs.
            Unreachable: no cluster answers.
            SubmissionRefused: those that answer would not run the job.
        """
        if not request.spec.is_open:
            self.view.begin("choose cluster")
            wanted = find_cluster(request.spec.destination_clusters[0], clusters)
            self.view.end(f"{wanted['name']} ({wanted['hostname']})")
            yield Way(*self.reacher.connect_or_offer(wanted, clusters, request))
            return
        ranked = self.scout.ranked(request, candidates(request.spec, clusters))
        self.show_ranking(ranked)
        yield from self._connected(ranked, request, clusters)

    def _connected(
        self, ranked: Sequence[Ranked], request: SubmitRequest, clusters: Sequence[Cluster]
    ) -> Iterator[Way]:
        usable = [found.candidate for found in ranked if found.candidate.is_usable]
        if not usable:
            raise nowhere(ranked)
        for number, found in enumerate(usable, start=1):
            cluster = find_cluster(found.cluster, clusters)
            try:
                node = self.reacher.connect(cluster, request.user_input)
            except Unreachable as error:
                if number == len(usable):
                    raise
                self.view.note(f"{error.message}; the next one is tried")
            else:
                yield Way(cluster, node, found.starts_in_s, is_last=number == len(usable))


def nowhere(ranked: Sequence[Ranked]) -> GridferryError:
    """Return the error that says why a job can go nowhere."""
    told = "\n".join(f"{found.candidate.cluster}: {found.reason}" for found in ranked)
    if any(found.candidate.refusal for found in ranked):
        return SubmissionRefused(
            "no cluster that answers would run this job",
            remedy="Ask for less, or name other clusters",
            detail=told,
        )
    return Unreachable("no cluster could be asked", remedy="Try again later, or name others", detail=told)
