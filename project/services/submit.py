"""The main job: a job file here becomes a job in Slurm's queue there, and whatever breaks can be resumed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.errors import RegistryError, UsageError
from project.core.messages import SCHEMA, format_utc
from project.ports import Stage
from project.services.campaign.parts import ask_limits
from project.services.dispatch import Dispatcher, Submitted, submitted
from project.services.fate import learn_fate
from project.services.select_cluster import Cluster, find_cluster
from project.services.staging import run_staging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from project.core.slurm.limits import Limits
    from project.ports import Clock, FarProgram, LoginNode, Prompter, RecordStore, Registry, StagingModules, View
    from project.services.plan import Planner
    from project.services.reach import Reacher
    from project.services.request import SubmitRequest


@dataclass(frozen=True, kw_only=True)
class Submitter:
    """Submits jobs; every attribute is a port or a service."""

    registry: Registry
    records: RecordStore
    modules: StagingModules
    planner: Planner
    toolbox: FarProgram
    prompter: Prompter
    view: View
    clock: Clock
    reacher: Reacher
    dispatcher: Dispatcher

    def submit(self, request: SubmitRequest, *, detach: bool) -> Submitted:
        """Submit a new job; return once it is in Slurm's queue, or with `detach` once the cluster works on it.

        Raises:
            GridferryError: nothing was submitted, or `--resume` with the UUID told goes on from there.
        """
        job_uuid = str(uuid.uuid4())
        record = self._new_record(job_uuid, request)
        request, results = run_staging(
            request,
            modules=self.modules,
            prompter=self.prompter,
            view=self.view,
            job_uuid=job_uuid,
            history=self._history,
        )
        self.view.begin("choose cluster")
        clusters = self.registry.clusters()
        wanted = find_cluster(request.spec.destination_cluster, clusters)
        self.view.end(f"{wanted['name']} ({wanted['hostname']})")
        cluster, node = self.reacher.connect_or_offer(wanted, clusters, request.user_input)
        try:
            limits = self._limits(job_uuid, request, cluster, node)
            record.update(self.planner.plan(job_uuid, request, cluster, results, limits))
            self.records.save(record)
        except BaseException:
            node.close()
            raise
        return self.dispatcher.send(record, node, detach=detach)

    def _limits(self, job_uuid: str, request: SubmitRequest, cluster: Cluster, node: LoginNode) -> Limits | None:
        """Return how much the cluster takes of the user at a time; only campaigns need to know."""
        if not request.tasks:
            return None
        self.view.begin("ask for limits")
        own_python = self.reacher.logins.own_python(str(cluster["name"]))
        limits = ask_limits(node, cluster, self.toolbox, job_uuid, request.spec, own_python=own_python)
        self.view.end(f"{limits.array_tasks} tasks an array, {limits.queued_tasks} in the queue")
        return limits

    def _history(self) -> list[dict[str, Any]]:
        """Return the user's past jobs, none if the registry does not tell them now."""
        try:
            return self.registry.history()
        except RegistryError:
            return []

    def resume(self, job_uuid: str, secrets: Mapping[str, Any], *, detach: bool) -> Submitted:
        """Go on with a submission of this machine wherever it ended.

        Raises:
            UsageError: it was not begun here, or did not come far enough to go on.
        """
        record = self.records.load(job_uuid)
        if record is None:
            raise UsageError(f"{job_uuid} was not submitted from here", remedy="Resume it where it was submitted")
        if "job" not in record:
            raise UsageError(
                f"{job_uuid} ended before anything was sent", remedy="Submit its job file again; nothing is lost"
            )
        if record["stage"] == Stage.HANDED_OVER:
            learn_fate(record, self.registry, self.records)
        if record["stage"] == Stage.SUBMITTED:
            return submitted(record)
        if record["stage"] == Stage.FAILED:
            raise UsageError(
                f"{job_uuid} ended with an error, which was told", remedy="Submit its job file again, as a new job"
            )
        job = record["job"]
        known = {"private_key": record["private_key"], **job["user_input"]}
        node = self.reacher.connect(job["destination_cluster"], {**known, **secrets})
        return self.dispatcher.send(record, node, detach=detach)

    def _new_record(self, job_uuid: str, request: SubmitRequest) -> dict[str, Any]:
        """Put the submission on record before its first effect."""
        spec = request.spec
        record: dict[str, Any] = {
            "schema": SCHEMA,
            "job_uuid": job_uuid,
            "stage": Stage.CREATED,
            "created_at": format_utc(self.clock.now_s()),
            "source": request.source,
            "input_sha256": request.sha256,
            "username": spec.username,
            "private_key": spec.private_key,
            "cluster": spec.destination_cluster,
        }
        self.records.save(record)
        return record
