"""Gets a connection to the cluster the user chose, or offers others that take the same kinds of jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.engines import ENGINES
from project.core.errors import RegistryError, Unreachable, UsageError
from project.services.logins import LoginChoice, login_for
from project.services.select_cluster import Cluster, find_cluster

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from project.ports import Connector, LoginNode, Prompter, View
    from project.services.request import SubmitRequest
    from project.services.scout import Scout


@dataclass(frozen=True, kw_only=True)
class Reacher:
    """Finds a way; every attribute is a port."""

    connector: Connector
    prompter: Prompter
    view: View
    logins: LoginChoice
    scout: Scout

    def connect(self, cluster: Cluster, user_input: Mapping[str, Any]) -> LoginNode:
        """Connect to a cluster.

        Raises:
            Unreachable: it does not answer as SSH within the limit.
        """
        self.view.begin("connect")
        node = self.connector.connect(login_for(cluster, user_input, self.logins))
        self.view.end(str(cluster["name"]))
        return node

    def connect_or_offer(
        self, cluster: Cluster, clusters: Sequence[Cluster], request: SubmitRequest
    ) -> tuple[Cluster, LoginNode]:
        """Connect to a cluster, or to another that the user picks because this one does not answer.

        Offered are those that share a preferred kind of job with the first choice, the best first. Refused keys and
        host keys are no reason to go elsewhere.

        Raises:
            Unreachable: none was picked; the message says which there were.
        """
        original = cluster
        while True:
            try:
                return cluster, self.connect(cluster, request.user_input)
            except Unreachable as error:
                self.view.fail()
                self.view.note(error.message)
                others = self._reachable_like(original, cluster, clusters, request)
                cluster = self._pick(error, cluster, others, clusters)

    def _reachable_like(
        self, original: Cluster, failed: Cluster, clusters: Sequence[Cluster], request: SubmitRequest
    ) -> list[str]:
        """Return clusters that answer and share a preferred kind of job, the best first.

        One that would refuse the job is left out; one that cannot be asked before a person has logged in comes last.
        """
        self.view.begin("look for others")
        wanted = set(original.get("preferred_jobs") or ())
        candidates = [
            cluster
            for cluster in clusters
            if cluster["name"] != failed["name"]
            and cluster.get("enabled", True)
            and cluster.get("workload_manager") in ENGINES
            and wanted & set(cluster.get("preferred_jobs") or ())
        ]
        with ThreadPoolExecutor(max(1, len(candidates))) as pool:
            answering = list(pool.map(lambda cluster: self._answers(cluster, request.user_input), candidates))
        found = [cluster for cluster, answers in zip(candidates, answering, strict=True) if answers]
        self.view.end(", ".join(str(cluster["name"]) for cluster in found) or "none answers")
        ranked = self.scout.ranked(request, found) if found else []
        return [place.candidate.cluster for place in ranked if not place.candidate.refusal]

    def _answers(self, cluster: Cluster, user_input: Mapping[str, Any]) -> bool:
        """Whether a cluster answers; one that the registry describes wrongly does not."""
        try:
            return self.connector.answers(login_for(cluster, user_input, self.logins))
        except (RegistryError, UsageError):
            return False

    def _pick(
        self, error: Unreachable, failed: Cluster, others: Sequence[str], clusters: Sequence[Cluster]
    ) -> Cluster:
        """Return the cluster to try next: one of the others, one by another name, or the same again.

        Raises:
            Unreachable: nobody can be asked, or there is none to offer and `--yes` leaves nothing to decide.
        """
        name = str(failed["name"])
        offered = f"others with the same preferred jobs: {', '.join(others)}" if others else "no other answers either"
        if not others and self.prompter.assumes_yes:
            raise Unreachable(f"{error.message} ({offered})", remedy=error.remedy)
        question = f"{name} does not answer; {offered}. Which cluster?"
        remedy = f"Set destination_cluster to one of the {offered}" if others else error.remedy
        while True:
            try:
                answer = self.prompter.choose(question, [*others, name])
            except UsageError as nobody:
                raise Unreachable(f"{error.message} ({offered})", remedy=remedy) from nobody
            if not answer:
                raise Unreachable(f"{error.message} ({offered})", remedy=remedy)
            try:
                return find_cluster(answer, clusters)
            except UsageError as mistyped:
                question = f"{mistyped.message}. {mistyped.remedy}. Which cluster?"
