"""Accepts what clusters report: each journal entry exactly once, in its order, however often it is sent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from api_srv.errors import Invalid, StaleEpoch, StoreUnavailable
from api_srv.services import progress, validate
from api_srv.services.clusters import status_problems
from api_srv.services.digest import Digests
from project.core import rules
from project.core.answers import DIGEST
from project.core.cluster_status import STATUS
from project.core.messages import SCHEMA
from project.core.rules import NAME, OBJECT, TIME, keyed, many, optional, text, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api_srv.dao.jobs import JobStore
    from api_srv.dao.outbox import Outbox
    from api_srv.dao.ports import Document
    from api_srv.services.accounts import Caller
    from api_srv.services.clusters import Clusters

_log = logging.getLogger("gridferry.reports")

_OF_A_JOB = {"job_uuid": text(36, least=36)}
#: What is wrong with a batch as a whole; what is wrong with one job's entries holds up that job alone.
BATCH_SHAPE = {
    "schema": whole(SCHEMA),
    "cluster": NAME,
    "epoch": optional(whole(0)),
    "reports": many(OBJECT)._replace(schema=many(keyed(_OF_A_JOB, "an entry", tuple(_OF_A_JOB))).schema),
    "cluster_status": optional(OBJECT)._replace(schema=optional(STATUS).schema),
}
BATCH_REQUIRED = ("cluster", "reports")
_ANY_KIND = text(100, least=1)
_ENTRY_SHAPE = {
    "schema": whole(SCHEMA),
    **_OF_A_JOB,
    "seq": whole(1, 10**9 - 1),
    "at": TIME,
    "kind": _ANY_KIND._replace(
        accepts=lambda kind: _ANY_KIND.accepts(kind) and kind != DIGEST, wanted="a kind, but for the registry's own"
    ),
    "body": OBJECT,
}


class Reports:
    """The way of reports into the store."""

    def __init__(self, jobs: JobStore, clusters: Clusters, outbox: Outbox) -> None:
        self._jobs = jobs
        self._clusters = clusters
        self._outbox = outbox
        self._digests = Digests(jobs)

    def accept(self, caller: Caller, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Take what is next of each job's journal; say what was taken and what was refused.

        A job that is refused does not hold up the others. Jobs of a cluster that has been removed may still report.

        Raises:
            Invalid: the batch itself is wrong; nothing was taken.
            Forbidden: this token reports for another cluster.
            StaleEpoch: a newer follower reports for this account and cluster.
        """
        _check(batch)
        cluster = batch["cluster"]
        caller.require_cluster(cluster)
        self._compare_epoch(caller.name, cluster, batch.get("epoch"))
        if batch.get("cluster_status") and (caller.admin or self._jobs.has_on(caller.name, cluster)):
            self._clusters.keep_status(cluster, batch["cluster_status"])
        answer: dict[str, Any] = {"schema": SCHEMA, "acknowledged": {}, "refused": {}}
        for job_uuid, entries in _by_job(batch["reports"]).items():
            last, refusal = self._take_apart(caller, cluster, job_uuid, entries)
            answer["acknowledged"].update({} if last is None else {job_uuid: last})
            answer["refused"].update({job_uuid: refusal} if refusal else {})
        self._outbox.woken.set()
        return answer

    def _compare_epoch(self, owner: str, cluster: str, epoch: int | None) -> None:
        if epoch is None:
            return
        highest = self._jobs.raise_epoch(owner, cluster, epoch)
        if epoch < highest:
            raise StaleEpoch(highest)

    def _take_apart(
        self, caller: Caller, cluster: str, job_uuid: str, entries: Sequence[Mapping[str, Any]]
    ) -> tuple[int | None, str]:
        """Take a job's entries; should that fail by a mistake of ours, the other jobs do not suffer from it."""
        try:
            return self._take(caller, cluster, job_uuid, entries)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is this job's alone
            _log.exception("reports of job %s could not be taken", job_uuid)
            return None, "a mistake in the registry; its log says more"

    def _take(
        self, caller: Caller, cluster: str, job_uuid: str, entries: Sequence[Mapping[str, Any]]
    ) -> tuple[int | None, str]:
        """Take a job's entries; return the last number taken so far (None: no such job) and why no more were."""
        refusal = ""

        def taken(job: Document) -> bool:
            nonlocal refusal
            before, refusal = job["last_seq"], _foreign(job, caller, cluster)
            if not refusal:
                refusal = self._apply_next(job, entries)
            return bool(job["last_seq"] > before)

        job = self._jobs.change(job_uuid, taken)
        if job is None or job["owner"] != caller.name:
            return None, "no such job"
        self._digests.conclude(job)
        return job["last_seq"], refusal

    def _apply_next(self, job: Document, entries: Sequence[Mapping[str, Any]]) -> str:
        """Apply those entries whose turn it is; return what is wrong with the first that cannot be taken."""
        for entry in entries:
            found = list(rules.problems(entry, _ENTRY_SHAPE, _ENTRY_SHAPE, more_keys=True))
            try:
                validate.refuse(found)
                if entry["seq"] == job["last_seq"] + 1:
                    progress.apply(self._jobs, job, f"{entry['seq']:09d}", entry)
                    job["last_seq"] = entry["seq"]
            except Invalid as error:
                return f"entry {job['last_seq'] + 1}: {error.message}"
        return ""


def _check(batch: Mapping[str, Any]) -> None:
    found = list(rules.problems(batch, BATCH_SHAPE, BATCH_REQUIRED, more_keys=True))
    if batch.get("cluster_status") is not None:
        found.extend(status_problems(batch["cluster_status"]))
    if not found:
        for number, entry in enumerate(batch["reports"]):
            found.extend(rules.problems(entry, _OF_A_JOB, _OF_A_JOB, where=f"reports[{number}].", more_keys=True))
    validate.refuse(found)


def _foreign(job: Document, caller: Caller, cluster: str) -> str:
    """Say why this caller may not report for this job from this cluster, "" if it may."""
    if job["owner"] != caller.name:
        return "no such job"
    return "" if job["cluster"] == cluster else f"this job belongs to cluster {job['cluster']}"


def _by_job(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        grouped.setdefault(entry["job_uuid"], []).append(entry)
    return grouped
