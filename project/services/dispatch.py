"""Sends a planned job to its cluster: register, upload, launch; every part may be done again after any end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.core.errors import GridferryError, SourceNeeded, SubmissionUnknown, Unreachable
from project.core.layout import JobPaths
from project.core.states import GatewayState
from project.services.remote import Remote

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
    view: View
    logins: LoginChoice

    def send(self, record: dict[str, Any], node: LoginNode, *, detach: bool) -> Submitted:
        """Bring a job that is on record to the cluster behind `node`, and see it into Slurm's queue.

        Args:
            record: of the job; kept up to date.
            node: connection to its cluster, closed at the end.
            detach: return once the cluster works on it.

        Raises:
            GridferryError: what went wrong; unless the job has ended, resuming goes on from there.
        """
        remote = Remote(node, record["job"]["destination_cluster"], self.wrapper)
        try:
            self._stage_in(remote, record)
            return self._launch(remote, record, detach=detach)
        except Unreachable as error:
            raise _lost(error, str(record["job_uuid"])) from error
        except GridferryError as error:
            if not error.transient:  # it has ended; there is nothing to resume
                record.update(stage="failed")
                self.records.save(record)
            raise
        finally:
            remote.close()

    def _stage_in(self, remote: Remote, record: dict[str, Any]) -> None:
        """Upload everything; the registry is told meanwhile."""
        self.view.begin("stage in")
        job_uuid = str(record["job_uuid"])
        with ThreadPoolExecutor(1) as pool:
            credentials = pool.submit(self._register, job_uuid, record["job"])
            paths = remote.probe(job_uuid)
            remote.upload(self.records.parcel(job_uuid), paths.parcel, self.view)
            if record["job_file"] is not None:
                source = Path(record["job_file"])
                remote.upload(source, f"{paths.work}/{source.name}", self.view)
            remote.leave_credentials(credentials.result())
        record.update(stage="launched", job_directory=paths.directory)
        self.records.save(record)
        self.view.end()

    def _register(self, job_uuid: str, job: Mapping[str, Any]) -> dict[str, Any]:
        """Create the job in the registry; return how its cluster shall report."""
        cluster = str(job["destination_cluster"]["name"])
        self.registry.create_job(job_uuid, job)
        credentials = self.registry.report_credentials(cluster)
        own = self.logins.clusters.get(cluster, {})
        return {**credentials, "url": own.get("registry_url") or credentials["url"]}

    def _launch(self, remote: Remote, record: dict[str, Any], *, detach: bool) -> Submitted:
        job_uuid, slurm_job_id = str(record["job_uuid"]), ""
        self.view.begin("launch")
        for event in self._events(remote, record):
            self._show(event)
            if event["event"] == "end":
                slurm_job_id = str(event["slurm_job_id"])
                record.update(stage="submitted", slurm_job_id=slurm_job_id)
                self.records.save(record)
                self.records.forget_parcel(job_uuid)
            if detach or slurm_job_id:
                break  # what the wrapper does from now on needs no spectators
        self.view.end(f"Slurm job {slurm_job_id}" if slurm_job_id else "")
        if not (slurm_job_id or detach):
            raise SubmissionUnknown(
                "the wrapper ended without saying how", remedy=f"Run: python -m project --resume {job_uuid}"
            )
        return submitted(record)

    def _events(self, remote: Remote, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield what the wrapper says; a repository that the cluster cannot clone is brought from here."""
        job_uuid, source = str(record["job_uuid"]), record["repository"]
        try:
            yield from remote.run("run", job_uuid)
        except SourceNeeded:
            self.view.begin("clone here")
            packed = self.records.parcel(job_uuid).with_suffix(".source")
            self.repositories.pack(source["url"], source["commit"], packed)
            remote.upload(packed, JobPaths(str(record["job_directory"])).source, self.view)
            packed.unlink()
            self.view.begin("launch")
            yield from remote.run("run", job_uuid)

    def _show(self, event: Mapping[str, Any]) -> None:
        """Show what the wrapper says."""
        if event["event"] == "output":
            self.view.output(event["line"])
        elif event["event"] == "entry" and event["entry"]["kind"] == "state":
            state = event["entry"]["body"]["state"]
            if state != GatewayState.SUBMITTED.value:
                self.view.begin(_PLAIN_STATES.get(state, state))


def submitted(record: Mapping[str, Any]) -> Submitted:
    """Return what a record says of a job that is on its way."""
    words = (str(record.get(key, "")) for key in ("job_uuid", "cluster", "slurm_job_id", "job_directory"))
    return Submitted(*words)


def _lost(error: Unreachable, job_uuid: str) -> Unreachable:
    remedy = f"Nothing is lost; go on with: python -m project --resume {job_uuid}"
    return Unreachable(error.message, remedy=remedy, detail=error.detail)
