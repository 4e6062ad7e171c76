"""The main job: a job file here becomes a job in Slurm's queue there, and whatever breaks can be resumed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.errors import (
    RegistryError,
    SubmissionRefused,
    SubmissionUnknown,
    Unreachable,
    UsageError,
    told_again,
)
from project.core.messages import SCHEMA, format_utc
from project.ports import Stage
from project.services.campaign.parts import ask_limits
from project.services.dispatch import Dispatcher, Submitted, submitted
from project.services.fate import learn_fate
from project.services.staging import run_staging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from project.core.slurm.limits import Limits
    from project.ports import Clock, Prompter, RecordStore, Registry, StagingModules, View
    from project.services.choose import Chooser, Way
    from project.services.plan import Planner
    from project.services.reach import Reacher
    from project.services.remote import Remote
    from project.services.request import SubmitRequest


@dataclass(frozen=True, kw_only=True)
class Submitter:
    """Submits jobs; every attribute is a port or a service."""

    registry: Registry
    records: RecordStore
    modules: StagingModules
    planner: Planner
    prompter: Prompter
    view: View
    clock: Clock
    reacher: Reacher
    chooser: Chooser
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
        for way in self.chooser.ways(request, self.registry.clusters()):
            try:
                return self._go(way, record, request, results, detach=detach)
            except SubmissionRefused as error:
                if way.is_last or request.tasks:  # of a campaign, some parts may be in the queue already
                    raise
                refused = record["job_uuid"]
                self.view.note(f"{way.cluster['name']} refused job {refused}: {error.message}; the next one is tried")
                record = {**self._new_record(str(uuid.uuid4()), request), "resubmission_of": refused}
            except (SubmissionUnknown, Unreachable):
                if not way.is_last:
                    self.view.note(f"the job stays with {way.cluster['name']}, which may have it: no other is tried")
                raise
        raise AssertionError("unreachable: there is a last way, and its error is raised")

    def _go(
        self,
        way: Way,
        record: dict[str, Any],
        request: SubmitRequest,
        results: list[dict[str, Any]],
        *,
        detach: bool,
    ) -> Submitted:
        """Plan the job for one cluster, put that on record, and send it there."""
        self._recall(str(way.cluster["name"]))
        job_uuid = str(record["job_uuid"])
        try:
            remote = self.dispatcher.remote(way.cluster, way.node, for_campaign=bool(request.tasks))
            plan = self.planner.plan(job_uuid, request, way.cluster, results, self._limits(job_uuid, request, remote))
            plan["job"].update(self._marks(record, way))
            record.update(plan)
            self.records.save(record)
        except BaseException:
            way.node.close()
            raise
        return self.dispatcher.send(record, remote, detach=detach)

    def _recall(self, cluster: str) -> None:
        """Say again what `doctor` found broken there, but for the way that has just been gone."""
        known = self.reacher.logins.known(cluster)
        for broken in known.beyond_the_login:
            found = f"{broken.check}: {broken.text.rstrip('.')}. {broken.remedy}"
            self.view.note(f"doctor on {cluster}, {known.at[:16]}Z: {found}")

    def _marks(self, record: Mapping[str, Any], way: Way) -> dict[str, Any]:
        """Return what is kept of why the job is where it is."""
        marks = {"resubmission_of": record["resubmission_of"]} if "resubmission_of" in record else {}
        if way.starts_in_s is not None:
            marks["predicted_start"] = format_utc(self.clock.now_s() + way.starts_in_s)
        return marks

    def _limits(self, job_uuid: str, request: SubmitRequest, remote: Remote) -> Limits | None:
        """Return how much the cluster takes of the user at a time; only campaigns need to know."""
        if not request.tasks:
            return None
        self.view.begin("ask for limits")
        remote.probe(job_uuid)
        limits = ask_limits(remote, request.spec)
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
            GridferryError: what went wrong, or what it ended with before.
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
            raise told_again(
                record.get("error") or {"type": "UsageError", "message": f"{job_uuid} ended with an error"}
            )
        job = record["job"]
        known = {"private_key": record["private_key"], **job["user_input"]}
        node = self.reacher.connect(job["destination_cluster"], {**known, **secrets})
        remote = self.dispatcher.remote(job["destination_cluster"], node)
        return self.dispatcher.send(record, remote, detach=detach)

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
            "cluster": " ".join(spec.destination_clusters),
        }
        if request.resubmission_of:
            record["resubmission_of"] = request.resubmission_of
        self.records.save(record)
        return record
