"""Brings a job's results back by UUID: the manifest first, then every file, checked."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from project.core.errors import NotEnded, RegistryError, TransferFailed, Unreachable
from project.core.messages import first_batch, format_utc, report_batch
from project.core.outcomes import outcome_of
from project.core.units import format_bytes
from project.services.campaign.gather import TABLE, Gathered, gather, write_table
from project.services.campaign.whole import parts_of
from project.services.far_side import FarSide, refuse_cleaned
from project.services.late_hashes import LateHashes
from project.services.remote import Remote, make_folder
from project.services.reporting import report_way
from project.services.results import Result, ResultsFolder, Standing, check_room, incomplete

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from project.ports import Clock, Registry, View
    from project.services.ahead import LoginAhead


@dataclass(frozen=True)
class Retrieved:
    """What came back.

    Attributes:
        job_uuid: of the job.
        outcome: Slurm's end state, or ERROR.
        folder: where the files are now.
        files: their names, as they are below `folder`.
        missing: outputs the job file names and the job did not leave.
    """

    job_uuid: str
    outcome: str
    folder: Path
    files: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Retriever:
    """Fetches results; every attribute is a port or a service."""

    registry: Registry
    far_side: FarSide
    view: View
    clock: Clock

    def retrieve(
        self,
        job_uuid: str,
        folder: Path,
        overrides: Mapping[str, Any],
        *,
        overwrite: bool = False,
        ahead: LoginAhead | None = None,
    ) -> Retrieved:
        """Fetch all outputs of an ended job into `folder`; what an earlier try left is kept and checked.

        Args:
            job_uuid: of the job.
            folder: made if missing; other files in it stay.
            overrides: `private_key`, `passphrase` or `username` to use instead of the recorded ones.
            overwrite: replace files that have the name of a result and other content; else they stay.
            ahead: has logged in there, perhaps.

        Raises:
            NotEnded: the job has not ended; the message says how it stands.
            TransferFailed: some files did not arrive; trying again fetches the rest.
        """
        self.view.begin("ask the registry")
        job = self.registry.job(job_uuid)
        jobs = self._parts(job)
        self.view.end(outcome_of(jobs))
        refuse_cleaned(job)
        remote = (ahead and ahead.take()) or self._connect_for(jobs[0], overrides)
        try:
            jobs, manifests, late = self._ask(jobs, remote)
            make_folder(folder)
            gathered = gather(list(zip(jobs, manifests, strict=True))) if job.get("campaign") else plain(manifests[0])
            names = self._fetch(remote, gathered.files, ResultsFolder(folder, late), overwrite=overwrite)
            self._note_fetched(jobs)
        finally:
            remote.close()
        if gathered.rows:
            write_table(folder / TABLE, gathered.rows)
            names.append(TABLE)
        return Retrieved(job_uuid, outcome_of(jobs), folder, names, gathered.missing)

    def _note_fetched(self, jobs: Sequence[Mapping[str, Any]]) -> None:
        """Let the registry know, so that what was fetched can be cleaned away; the files count more than that."""
        try:
            for job in jobs:
                self.registry.update_job(str(job["job_uuid"]), {"fetched_at": format_utc(self.clock.now_s())})
        except RegistryError as error:
            self.view.note(f"the registry does not know that they were fetched: {error.message}")

    def _parts(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        """Return all parts of the campaign a job belongs to; a plain job alone."""
        campaign = job.get("campaign")
        if not campaign:
            return [job]
        uuids = [str(part["job_uuid"]) for part in parts_of(self.registry, str(campaign["uuid"]))]
        return [job if job_uuid == job["job_uuid"] else self.registry.job(job_uuid) for job_uuid in uuids]

    def _catch_up(
        self, jobs: Sequence[Mapping[str, Any]], unsent: Sequence[Mapping[str, Any]], remote: Remote
    ) -> list[dict[str, Any]]:
        """Bring along what the cluster has not reported yet, and ask the registry again if that can change anything.

        Raises:
            NotEnded: a job really has not ended.
        """
        known = {str(job["job_uuid"]): int(job.get("last_seq") or 0) for job in jobs}
        own = [dict(entry) for entry in unsent if entry["job_uuid"] in known]  # it speaks for these alone
        unheard = [entry for entry in own if entry["seq"] > known[entry["job_uuid"]]]
        if unheard:
            self._relay(jobs[0]["destination_cluster"], unheard, remote)
        is_old = unheard or not all(job.get("ended") for job in jobs)
        now = [self.registry.job(job_uuid) for job_uuid in known] if is_old else [dict(job) for job in jobs]
        for job in now:
            if not job.get("ended"):
                raise self._not_ended(job)
        return now

    def _not_ended(self, job: Mapping[str, Any]) -> NotEnded:
        standing = _standing(job, self.registry.states(str(job["job_uuid"])))
        return NotEnded(f"the job has not ended: {standing}", remedy="Try again when the mail about its end has come")

    def _connect_for(self, job: Mapping[str, Any], overrides: Mapping[str, Any]) -> Remote:
        """Connect to the job's cluster.

        Raises:
            NotEnded: the cluster is away and the registry knows of no end.
        """
        try:
            return self.far_side.connect(job, overrides)
        except Unreachable as error:
            if job.get("ended"):
                raise
            raise self._not_ended(job) from error

    def _ask(
        self, jobs: Sequence[Mapping[str, Any]], remote: Remote
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], LateHashes]:
        """Ask the cluster, in one go, for what it has not reported and for what the jobs left behind.

        Returns:
            The jobs as they are now, the manifest of each, and what tells the hashes that are still being made.

        Raises:
            NotEnded: a job has not ended.
            TransferFailed: a job's outputs were not listed.
        """
        self.view.begin("ask the cluster")
        uuids = [str(job["job_uuid"]) for job in jobs]
        remote.reach()
        events = remote.run("results", *uuids)
        unsent, first = _journals(events)
        now = self._catch_up(jobs, unsent, remote)
        self.view.end(outcome_of(now))
        self.view.begin("list outputs")
        listing = itertools.islice(itertools.chain(first, events), len(uuids))
        manifests = {str(event["job_uuid"]): dict(event["manifest"]) for event in listing}
        if set(manifests) != set(uuids):
            name = jobs[0]["destination_cluster"]["name"]
            raise TransferFailed(f"{name} did not list the job's outputs", remedy="Try again in a while")
        entries = [entry for manifest in manifests.values() for entry in manifest["files"]]
        self.view.end(f"{len(entries)} files, {format_bytes(sum(entry['size'] for entry in entries))}")
        return now, [manifests[job_uuid] for job_uuid in uuids], LateHashes(events)

    def _relay(self, cluster: Mapping[str, Any], unheard: list[dict[str, Any]], remote: Remote) -> None:
        """Bring along what the cluster could not report itself; sent twice, it counts once.

        Should that have been for want of a token that is still good, it gets one.
        """
        name = str(cluster["name"])
        try:
            ahead = unheard
            while batch := first_batch(ahead):
                self.registry.relay(report_batch(name, None, batch))
                ahead = ahead[len(batch) :]
            self.view.note(f"relayed {len(unheard)} reports that {name} had not been able to send")
        except RegistryError as error:
            self.view.note(f"reports of {name} could not be relayed: {error.message}")
            return
        with contextlib.suppress(RegistryError, TransferFailed):
            credentials = self.registry.report_credentials(name)
            way = report_way(credentials, cluster, self.far_side.logins)
            remote.leave_credentials(self.registry.key, way)

    def _fetch(
        self, remote: Remote, entries: Mapping[str, Mapping[str, Any]], here: ResultsFolder, *, overwrite: bool
    ) -> list[str]:
        """Fetch every file that is not here; one that fails, or is in the way of another, does not keep the others.

        Raises:
            TransferFailed: not all of them are here now.
        """
        self.view.begin("fetch")
        results: dict[str, Result] = {}
        failed: dict[str, str] = {}
        for name, entry in entries.items():
            try:
                results[name] = here.result(name, entry)
            except TransferFailed as error:
                failed[name] = error.message
        standings = {name: here.standing(result) for name, result in results.items()}
        replaced = {Standing.ABSENT, Standing.OUTDATED, *([Standing.DIFFERENT] if overwrite else [])}
        wanted = [result for name, result in results.items() if standings[name] in replaced]
        check_room(here.folder, wanted)
        failed.update(remote.fetch(wanted, self.view))
        in_the_way = [name for name, standing in standings.items() if standing not in {*replaced, Standing.SAME}]
        here.note_fetched(result for name, result in results.items() if name not in {*failed, *in_the_way})
        if failed or in_the_way:
            raise incomplete(here.folder, len(entries), failed, in_the_way)
        before = len(entries) - len(wanted)
        self.view.end(f"{here.folder}; {before} were here already" if before else str(here.folder))
        return list(entries)


def _journals(events: Iterator[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the entries of all journals, which come first, and the event after them if there is one."""
    unsent: list[dict[str, Any]] = []
    for event in events:
        if event["event"] != "journal":
            return unsent, [event]
        unsent += event["entries"]
    return unsent, []


def plain(manifest: Mapping[str, Any]) -> Gathered:
    """Return what a plain job left, each file under its own name."""
    return Gathered({str(entry["name"]): entry for entry in manifest["files"]}, list(manifest["missing"]))


def _standing(job: Mapping[str, Any], states: Sequence[str]) -> str:
    """Return the job's state in words, the tasks counted."""
    counted = {state: list(states).count(state) for state in dict.fromkeys(states)}
    tasks = ", ".join(f"{count} {state}" for state, count in counted.items())
    return f"{job['state']} ({tasks})" if len(states) > 1 else str(job["state"])
