"""Asks clusters, all at once, what each would do with a job."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.engines import ENGINES
from project.core.errors import GridferryError, RegistryError, SchedulerUnavailable, UsageError
from project.core.job import AUTO
from project.core.ranking import Candidate, rank
from project.core.slurm.directives import placed
from project.core.slurm.forecast import free_slots, test_options
from project.core.slurm.partitions import Partition, never_starts
from project.services.at_once import at_once
from project.services.logins import LoginChoice, login_for
from project.services.remote import Remote
from project.services.select_cluster import Cluster, find_cluster

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from project.core.findings import Known
    from project.core.job import JobSpec
    from project.core.ranking import Ranked
    from project.ports import Connector, FarProgram, Registry, View
    from project.services.request import SubmitRequest

#: A cluster that has not said all of it by then is left out.
LIMIT_S = 45.0


def candidates(spec: JobSpec, clusters: Sequence[Cluster]) -> list[Cluster]:
    """Return the clusters a job may go to, in the user's order, else the registry's.

    Raises:
        UsageError: a named one is not known or takes no jobs, or with `auto` none takes this kind of job.
    """
    if list(spec.destination_clusters) != [AUTO]:
        return [find_cluster(name, clusters) for name in dict.fromkeys(spec.destination_clusters)]
    wanted = set(spec.preferred_jobs)
    takers = [cluster for cluster in clusters if _takes(cluster, wanted)]
    if not takers:
        kinds = " or ".join(spec.preferred_jobs)
        raise UsageError(
            f"no cluster of the registry takes {kinds} jobs now",
            remedy="Name a cluster as destination_cluster, or other preferred_jobs",
        )
    return takers


def _takes(cluster: Cluster, wanted: set[str]) -> bool:
    """Whether a cluster is open and prefers one of these kinds of jobs; one that says nothing takes all."""
    preferred = set(cluster.get("preferred_jobs") or wanted)
    return bool(cluster.get("enabled", True) and cluster.get("workload_manager") in ENGINES and preferred & wanted)


@dataclass(frozen=True, kw_only=True)
class Scout:
    """Asks clusters; every attribute is a port.

    Attributes:
        connector: one that never asks the person at the terminal, since several are asked at a time.
        registry: told of each cluster's status, which comes along.
    """

    connector: Connector
    registry: Registry
    toolbox: FarProgram
    view: View
    logins: LoginChoice

    def ranked(self, request: SubmitRequest, clusters: Sequence[Cluster]) -> list[Ranked]:
        """Return these clusters in the order in which the job should go there, each with its reason."""
        self.view.begin("ask the clusters")
        answers = at_once(lambda cluster: self._ask(cluster, request), clusters, LIMIT_S)
        found = [answer or _late(cluster) for cluster, answer in zip(clusters, answers, strict=True)]
        ranked = rank(found)
        self.view.end(next((r.candidate.cluster for r in ranked if r.is_chosen), "none can run it"))
        return ranked

    def _ask(self, cluster: Cluster, request: SubmitRequest) -> Candidate:
        name = str(cluster["name"])
        try:
            node = self.connector.connect(login_for(cluster, request.user_input, self.logins))
            remote = Remote(node, cluster, self.toolbox, own_python=self.logins.own_python(name))
            try:
                told = self._forecast(remote, cluster, request.spec)
            finally:
                remote.close()
        except GridferryError as error:
            return Candidate(cluster=name, problem=error.message)
        with contextlib.suppress(RegistryError):  # it only freshens what others see
            self.registry.put_status(name, told["status"])
        return _candidate(cluster, request.spec, told, self.logins.known(name))

    @staticmethod
    def _forecast(remote: Remote, cluster: Cluster, spec: JobSpec) -> Mapping[str, Any]:
        remote.reach()
        options = test_options(spec.resources, str(cluster.get("partition") or ""))
        for event in remote.run("forecast", *options):
            if event["event"] == "forecast":
                return event
        raise SchedulerUnavailable("there was no answer about the job")


def _partitions(told: Mapping[str, Any]) -> list[Partition]:
    return [Partition(*(known[name] for name in Partition._fields)) for known in told["partitions"]]


def _late(cluster: Cluster) -> Candidate:
    return Candidate(cluster=str(cluster["name"]), problem=f"it did not answer within {LIMIT_S:.0f} s")


def _candidate(cluster: Cluster, spec: JobSpec, told: Mapping[str, Any], known: Known) -> Candidate:
    resources = placed(spec.resources, str(cluster.get("partition") or ""))
    starts_in_s = told["starts_in_s"]
    return Candidate(
        cluster=str(cluster["name"]),
        refusal=str(told["refusal"]) or never_starts(resources, _partitions(told)) or known.obstacle,
        starts_in_s=None if starts_in_s is None else float(starts_in_s),
        free_slots=free_slots(resources, told["status"].get("nodes") or []),
        wanted_slots=(resources.ntasks or 1) * spec.expected_tasks,
        pending_jobs=int(told["status"].get("pending_jobs") or 0),
        foretold=cluster.get("foretold"),
    )
