"""Jobs as their owners see them."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

from api_srv import clock
from api_srv.errors import Conflict, Forbidden, NotFound
from api_srv.services import job_document, job_view, progress, recipients, secrets, validate
from api_srv.services.accounts import REPORT
from api_srv.services.digest import Digests
from project.core import rules
from project.core.problems import Problem
from project.core.states import GatewayState, is_final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api_srv.config import Settings
    from api_srv.dao.jobs import JobStore
    from api_srv.dao.outbox import Outbox
    from api_srv.dao.ports import Document
    from api_srv.services.accounts import Caller
    from api_srv.services.clusters import Clusters
    from api_srv.services.job_query import JobQuery

_RECENT_KEYS = 200
#: Enough to show that a prefix is not unique.
_NAMESAKES = 10
_KEY = {"key": rules.text(200, least=1)}
STATE_SHAPE = {**progress.STATE_SHAPE, **_KEY}
NOTIFY_SHAPE = {**{key: progress.NOTICE_SHAPE[key] for key in ("message", "stage", "detail")}, **_KEY}
CREATE_SHAPE = {**job_document.OWNER_FIELDS, **job_document.LASTING_FIELDS}
UPDATE_SHAPE = {**job_document.OWNER_FIELDS, **job_document.STATUS_FIELD}


class Jobs:
    """What owners (and, for their own cluster, report tokens) do with jobs."""

    def __init__(self, store: JobStore, clusters: Clusters, outbox: Outbox, settings: Settings) -> None:
        self._store = store
        self._clusters = clusters
        self._outbox = outbox
        self._settings = settings

    def create(self, caller: Caller, job_uuid: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Create a job, once; the same content again is answered the same.

        Returns:
            the job, and whether it is new.

        Raises:
            Invalid: every problem of the body.
            Conflict: the UUID is taken, by other content or another account.
        """
        content = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        existing = self._store.get(job_uuid)
        created = False
        if existing is None:
            job = self._new(caller, job_uuid, body)
            created = self._store.add({**job, "content_sha256": content})
            existing = self._store.get(job_uuid)
        if existing is None or (existing["owner"], existing["content_sha256"]) != (caller.name, content):
            raise Conflict(f"job {job_uuid} exists with other content", "Take a new UUID, or send the same content.")
        return self._view(existing), created

    def get(self, caller: Caller, job_uuid: str) -> dict[str, Any]:
        """Return all values of a job (NotFound if it is not the caller's)."""
        return self._view(self._own(caller, job_uuid))

    def newest(self, caller: Caller, wanted: JobQuery) -> list[dict[str, Any]]:
        """Return the caller's newest jobs in short."""
        found = self._store.of_owner(caller.name, *wanted.conditions, after=wanted.after, limit=wanted.limit)
        return [job_view.summary(job) for job in found]

    def beginning(self, caller: Caller, prefixes: Sequence[str]) -> list[dict[str, Any]]:
        """Return the caller's jobs whose UUID begins with one of these, in short; a few of each."""
        found = (job for prefix in prefixes for job in self._store.beginning(caller.name, prefix, _NAMESAKES))
        return list({job["job_uuid"]: job_view.summary(job) for job in found}.values())

    def states(self, caller: Caller, job_uuid: str) -> list[str]:
        """Return the state of each task of a job (NotFound if it is not the caller's)."""
        return job_view.task_states(self._own(caller, job_uuid), self._store.tasks(job_uuid))

    def update(self, caller: Caller, job_uuid: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Set some fields of a job and leave the others alone.

        Raises:
            Invalid: every problem of the body.
            Conflict: another cluster was chosen after the first had begun.
            NotFound: the job is not the caller's.
        """
        self._own(caller, job_uuid)
        found = self._problems(caller, job_uuid, body, UPDATE_SHAPE)
        cluster = self._cluster(body, found) if "destination_cluster" in body else {}
        validate.refuse(found)

        def updated(job: Document) -> bool:
            _move(job, cluster)
            job_document.set_fields(job, body)
            if "job_status" in body:
                rows = {"rows": job_document.rows_of(body["job_status"])}
                progress.apply(self._store, job, "", {"kind": "tasks", "seq": job["last_seq"], "body": rows})
            job["updated_at"] = clock.now()
            return True

        self._store.change(job_uuid, updated)
        return self.get(caller, job_uuid)

    def put_state(self, caller: Caller, job_uuid: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Note a change of state, once for each `key`; without one, the state a job already has is no change.

        Raises:
            Invalid: every problem of the body.
            NotFound: the job is not the caller's.
            Conflict: the job is in a final state.
        """
        job = self._own(caller, job_uuid)
        validate.check(body, STATE_SHAPE, ["state"])
        if "key" not in body and job["state"] == body["state"]:
            return self._view(job)
        if is_final(job["state"]):
            raise Conflict(f"the job is {job['state']}, which is final", "Submit it anew to run it again.")
        return self._apply_once(job_uuid, "state", body)

    def notify(self, caller: Caller, job_uuid: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Note an error, once for each `key` (Invalid and NotFound as above)."""
        self._own(caller, job_uuid)
        validate.check(body, NOTIFY_SHAPE, ["message"])
        return self._apply_once(job_uuid, "notice", {**body, "severity": "error"})

    def require_job_on(self, caller: Caller, cluster: str) -> None:
        """Raise Forbidden unless the caller has a job on a cluster, and so something to say about it, or is admin."""
        if not (caller.admin or self._store.has_on(caller.name, cluster)):
            raise Forbidden(f"you have no job on {cluster}", "Its status comes from there, with the reports of jobs.")

    def _apply_once(self, job_uuid: str, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Apply what has no number in a journal; its key stands in for it."""
        given = str(body.get("key") or uuid.uuid4())
        key = f"{kind}-{hashlib.sha256(given.encode()).hexdigest()[:32]}"
        content = {name: value for name, value in body.items() if name != "key"}
        entry = {"kind": kind, "at": clock.now(), "body": content}

        def applied(job: Document) -> bool:
            if key in job["recent_keys"]:
                return False
            progress.apply(self._store, job, key, entry)
            job["recent_keys"] = [*job["recent_keys"], key][-_RECENT_KEYS:]
            return True

        job = self._store.change(job_uuid, applied)
        Digests(self._store).conclude(job)
        self._outbox.woken.set()
        return self._view(job or {})

    def _own(self, caller: Caller, job_uuid: str) -> Document:
        job = self._store.get(job_uuid)
        elsewhere = caller.scope == REPORT and job is not None and job["cluster"] != caller.cluster
        if job is None or job["owner"] != caller.name or elsewhere:
            raise NotFound(f"there is no job {job_uuid} of yours", "GET /jobs lists yours.")
        return job

    def _view(self, job: Document) -> dict[str, Any]:
        job_uuid = job["job_uuid"]
        return job_view.view(job, self._store.tasks(job_uuid), self._store.events(job_uuid))

    def _new(self, caller: Caller, job_uuid: str, body: Mapping[str, Any]) -> Document:
        found = self._problems(caller, job_uuid, body, CREATE_SHAPE, ["user_input"])
        cluster = self._cluster(body, found)
        validate.refuse(found)
        job = job_document.new_job(job_uuid, caller.name, cluster, clock.now())
        job_document.set_fields(job, body)
        return job

    def _problems(
        self,
        caller: Caller,
        job_uuid: str,
        body: Mapping[str, Any],
        shape: Mapping[str, rules.Rule],
        required: Sequence[str] = (),
    ) -> list[Problem]:
        found = list(rules.problems({"job_uuid": job_uuid, **body}, shape, required))
        if body.get("job_uuid", job_uuid) != job_uuid:
            found.append(Problem("job_uuid", f"this is not {job_uuid}", "Leave it out: the address says it."))
        for key in ("user_input", "modules"):
            found.extend(secrets.problems(body.get(key), key))
        user_input = body.get("user_input")
        if isinstance(user_input, dict):
            found.extend(recipients.problems(user_input, caller.mail, self._settings.allowed_domains))
        return found

    def _cluster(self, body: Mapping[str, Any], found: list[Problem]) -> dict[str, Any]:
        """Return the cluster a job is for; add to `found` what is wrong with it."""
        try:
            cluster = self._clusters.description(_cluster_name(body))
        except NotFound as error:
            found.append(Problem("destination_cluster", error.message, error.remedy))
            return {}
        if not cluster["enabled"]:
            reason = f"cluster {cluster['name']} takes no jobs at present"
            found.append(Problem("destination_cluster", reason, "Choose another; GET /clusters lists them."))
        return cluster


def _cluster_name(body: Mapping[str, Any]) -> str:
    """Return the name of the cluster: as given, of the document given, or the one the job file names."""
    named = body.get("destination_cluster")
    if named is None:
        user_input = body.get("user_input")
        named = user_input.get("destination_cluster") if isinstance(user_input, dict) else ""
    return str(named.get("name", "")) if isinstance(named, dict) else str(named or "")


def _move(job: Document, cluster: Mapping[str, Any]) -> None:
    """Send a job to another cluster, as long as the first has not begun."""
    if not cluster or cluster["name"] == job["cluster"]:
        return
    if job["last_seq"] or job["state"] != GatewayState.CREATED:
        raise Conflict(f"the job is on cluster {job['cluster']} already", "Submit it anew for another cluster.")
    job["cluster"], job["destination_cluster"] = cluster["name"], json.dumps(cluster)
