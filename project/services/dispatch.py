"""Sends a planned job to its cluster: register, upload, launch; every part may be done again after any end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.core.errors import (
    GridferryError,
    SourceNeeded,
    SubmissionUnknown,
    TransferFailed,
    Unreachable,
    UsageError,
    WaitsForRoom,
    as_told,
)
from project.core.findings import GIT, MISSING
from project.core.layout import JobPaths
from project.core.states import GatewayState
from project.ports import Stage
from project.services.plan import version_of
from project.services.remote import Remote
from project.services.reporting import ReportWay, report_way

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from project.ports import FarProgram, LoginNode, RecordStore, Registry, Repositories, View
    from project.services.logins import LoginChoice

_PLAIN_STATES = {state.value: state.value.lower() for state in GatewayState}


@dataclass(frozen=True)
class Submitted:
    """A job that is on its way.

    Attributes:
        job_uuid: ours.
        cluster: where it is.
        slurm_job_id: Slurm's, "" while that is not known (`--detach`).
        job_directory: its folder there.
    """

    job_uuid: str
    cluster: str
    slurm_job_id: str
    job_directory: str


@dataclass(frozen=True, kw_only=True)
class Dispatcher:
    """Sends jobs; every attribute is a port."""

    registry: Registry
    records: RecordStore
    repositories: Repositories
    wrapper: FarProgram
    toolbox: FarProgram
    view: View
    logins: LoginChoice

    def remote(self, cluster: Mapping[str, Any], node: LoginNode, *, for_campaign: bool = False) -> Remote:
        """Return what `send` works with, on a connection to a cluster; campaigns have more to ask there."""
        program = self.toolbox if for_campaign else self.wrapper
        return Remote(node, cluster, program, own_python=self.logins.own_python(str(cluster["name"])))

    def send(self, record: dict[str, Any], remote: Remote, *, detach: bool) -> Submitted:
        """Bring a job that is on record to its cluster, and see it into Slurm's queue.

        Args:
            record: of the job; kept up to date.
            remote: its cluster, whose connection is closed at the end.
            detach: return once the cluster works on it.

        Raises:
            GridferryError: what went wrong; unless the job has ended, resuming goes on from there.
        """
        try:
            self._stage_in(remote, record)
            return self._launch(remote, record, detach=detach)
        except Unreachable as error:
            raise _lost(error, str(record["job_uuid"])) from error
        finally:
            remote.close()

    def _stage_in(self, remote: Remote, record: dict[str, Any]) -> None:
        """Upload what is not there yet; the registry is told meanwhile."""
        self.view.begin("stage in")
        job_uuid = str(record["job_uuid"])
        try:
            with ThreadPoolExecutor(1) as pool:
                registered = pool.submit(self._register, record)
                paths = remote.probe(job_uuid)
                if record["stage"] != Stage.HANDED_OVER:
                    self._bring(remote, record, paths)
                self._let_report(remote, registered.result())
        except GridferryError as error:
            if record["stage"] == Stage.CREATED and not error.transient:
                self._give_up(record, error)
            raise
        if record["stage"] == Stage.CREATED:
            record.update(stage=Stage.LAUNCHED, job_directory=paths.directory)
            self.records.save(record)
        self.view.end()

    def _bring(self, remote: Remote, record: Mapping[str, Any], paths: JobPaths) -> None:
        """Upload all of it, unless another client here has just done so for the same submission, and cleaned up."""
        try:
            self._upload(remote, record, paths)
        except TransferFailed:
            latest = self.records.load(str(record["job_uuid"])) or record
            if latest["stage"] not in (Stage.HANDED_OVER, Stage.SUBMITTED):
                raise

    def _upload(self, remote: Remote, record: Mapping[str, Any], paths: JobPaths) -> None:
        remote.upload(self.records.parcel(str(record["job_uuid"])), paths.parcel, self.view)
        if record["job_file"] is not None:
            source = Path(record["job_file"])
            if record["stage"] == Stage.LAUNCHED and record.get("job_file_as") not in (None, version_of(source)):
                raise UsageError(
                    f"{source} has changed since it was submitted, and the cluster may be at work with what it was",
                    remedy="Submit it as a new job with --fresh, or put it back as it was, with its time of change",
                )
            remote.upload(source, f"{paths.work}/{source.name}", self.view)

    def _give_up(self, record: dict[str, Any], error: GridferryError) -> None:
        """Put on record that there is nothing to resume, and why."""
        record.update(stage=Stage.FAILED, error=as_told(error))
        self.records.save(record)
        self.records.forget_parcel(str(record["job_uuid"]))

    def _register(self, record: Mapping[str, Any]) -> ReportWay:
        """Create the job (a campaign's further parts, too) in the registry; return how its cluster shall report."""
        cluster = record["job"]["destination_cluster"]
        for job in (record["job"], *record.get("parts", ())):
            self.registry.create_job(str(job["job_uuid"]), job)
        return report_way(self.registry.report_credentials(str(cluster["name"])), cluster, self.logins)

    def _let_report(self, remote: Remote, way: ReportWay) -> None:
        remote.leave_credentials(self.registry.key, way)
        if way.obstacle:
            self.view.note(
                f"the cluster does not report by itself, since {way.obstacle}; -r brings its reports along"
            )

    def _launch(self, remote: Remote, record: dict[str, Any], *, detach: bool) -> Submitted:
        self.view.begin("launch")
        try:
            self._watch(remote, record, detach=detach)
        except WaitsForRoom as error:  # the cluster has all it needs and sees to the rest
            self._note(record, Stage.HANDED_OVER)
            self.view.note(f"{error.message}. {error.remedy}")
        except GridferryError as error:
            if not error.transient:
                self._give_up(record, error)
            raise
        result = submitted(record)
        self.view.end(f"Slurm job {result.slurm_job_id}" if result.slurm_job_id else "")
        return result

    def _watch(self, remote: Remote, record: dict[str, Any], *, detach: bool) -> None:
        """Show what the wrapper does until the job is queued, or with `detach` until it needs nothing of us."""
        for event in self._events(remote, record):
            self._show(event)
            if event["event"] == "end":
                return self._note(record, Stage.SUBMITTED, slurm_job_id=str(event.get("slurm_job_id") or ""))
            if detach and event["event"] == "entry":  # it has been brought all it works with
                return self._note(record, Stage.HANDED_OVER)
        raise SubmissionUnknown(
            "the wrapper ended without saying how",
            remedy="Run: python -m project --resume {}".format(record["job_uuid"]),
        )

    def _note(self, record: dict[str, Any], stage: Stage, **known: str) -> None:
        """Put on record how far it has come; nothing is to be uploaded any more."""
        record.update(stage=stage, **known)
        self.records.save(record)
        self.records.forget_parcel(str(record["job_uuid"]))

    def _events(self, remote: Remote, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield what the wrapper says; a repository that the cluster cannot clone is brought from here."""
        job_uuid, source = str(record["job_uuid"]), record["repository"]
        if source is not None and self.logins.known(str(record["cluster"])).fact(GIT) == MISSING:
            self._bring_source(remote, record)
        try:
            yield from remote.run("run", job_uuid)
        except SourceNeeded:
            if source is None:
                raise
            self._bring_source(remote, record)
            yield from remote.run("run", job_uuid)

    def _bring_source(self, remote: Remote, record: Mapping[str, Any]) -> None:
        self.view.begin("clone here")
        source = record["repository"]
        packed = self.records.parcel(str(record["job_uuid"])).with_suffix(".source")
        self.repositories.pack(source["url"], source["commit"], packed)
        remote.upload(packed, JobPaths(str(record["job_directory"])).source, self.view)
        packed.unlink()
        self.view.begin("launch")

    def _show(self, event: Mapping[str, Any]) -> None:
        """Show what the wrapper says."""
        if event["event"] == "output":
            self.view.output(event["line"])
        elif event["event"] == "entry" and event["entry"]["kind"] == "state":
            state = str(event["entry"]["body"].get("state", ""))
            if state != GatewayState.SUBMITTED.value:
                self.view.begin(_PLAIN_STATES.get(state, state))


def submitted(record: Mapping[str, Any]) -> Submitted:
    """Return what a record says of a job that is on its way."""
    words = (str(record.get(key, "")) for key in ("job_uuid", "cluster", "slurm_job_id", "job_directory"))
    return Submitted(*words)


def _lost(error: Unreachable, job_uuid: str) -> Unreachable:
    remedy = f"Nothing is lost; go on with: python -m project --resume {job_uuid}"
    return Unreachable(error.message, remedy=remedy, detail=error.detail)
