"""What each kind of journal entry does to a job: the one place where a job's state changes.

Applying an entry stores events and tasks at once, under keys that make a repetition harmless, and changes the job's
document in memory only; whoever applies stores that last, by compare-and-set.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from api_srv import clock
from api_srv.dao.outbox import DUE, NO_MAIL
from api_srv.services import foretold, notify, secrets, validate
from api_srv.services.job_document import PLAIN_FIELDS, set_fields, task_document, user_input
from project.core.rules import ANYTHING, COUNTS, OBJECT, ROW, Rule, many, mapping, optional, sized_object, text, word
from project.core.slurm.states import Phase, parse_state
from project.core.states import GatewayState, goes_back, is_final, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from api_srv.dao.jobs import JobStore
    from api_srv.dao.ports import Document

    Effect = Callable[[JobStore, Document, str, Mapping[str, Any]], None]

_REMARK = optional(text())
STATE_SHAPE: dict[str, Rule] = {
    "state": text(100, least=1),
    "reason": _REMARK,
    "detail": _REMARK,
    "stage": _REMARK,
    "since": _REMARK,
    "exit_code": _REMARK,
    "counts": optional(COUNTS),
    "details": optional(mapping(text())),
}
NOTICE_SHAPE: dict[str, Rule] = {
    "severity": word("warning", "error"),
    "stage": _REMARK,
    "message": text(),
    "detail": _REMARK,
    "flag": _REMARK,
}
_FIELDS_SHAPE: dict[str, Rule] = {**PLAIN_FIELDS, "user_input": sized_object(2_000_000)}
_MOST_EVENT_CHARS, _MOST_KEPT_CHARS = 1_000_000, 10_000
_GATEWAY_WORDS = frozenset(state.value for state in GatewayState)


def apply(store: JobStore, job: Document, key: str, entry: Mapping[str, Any]) -> None:
    """Apply one entry (`kind`, `at`, `body`, perhaps `seq`) whose events lie under `key`.

    An entry of a kind that this registry does not know is kept in the timeline.

    Raises:
        Invalid: its body is not what its kind requires; nothing was stored.
    """
    shape, required, effect = _KINDS.get(entry["kind"], ({}, (), _keep))
    validate.check(entry["body"], shape, required, where="body.", more_keys=True)
    effect(store, job, key, entry)
    job["updated_at"] = clock.now()


def _state(store: JobStore, job: Document, key: str, entry: Mapping[str, Any]) -> None:
    said = entry["body"]["state"].strip()
    state = said if said in _GATEWAY_WORDS else parse_state(said).word
    body = {**entry["body"], "state": state}
    if goes_back(job["state"], state):  # it counts as heard, and changes nothing
        add_event(store, job, key, {**entry, "body": {**body, "ignored": f"the job is {job['state']}"}}, mails=False)
        return
    mails = not job.get("campaign") and notify.mails_state(user_input(job), state)  # a campaign's end is one mail
    add_event(store, job, key, {**entry, "body": body}, mails=mails)
    job["state"], job["reason"] = state, body.get("reason") or ""
    if state not in _GATEWAY_WORDS and parse_state(state).phase is not Phase.UNKNOWN:
        job["outcome"] = outcome_of(state)  # None again when Slurm requeued it
    job["ended"] = job["outcome"] is not None or is_final(state)
    if job["ended"]:
        job["flag"] = ""
    start = foretold.start_of(job, state, str(body.get("since") or ""))
    if start is not None:
        store.keep_start(start)


def _tasks(store: JobStore, job: Document, _key: str, entry: Mapping[str, Any]) -> None:
    known = {task["_id"]: task for task in store.tasks(job["job_uuid"])}
    rows = entry["body"]["rows"]
    newer = {task["_id"]: task for task in (task_document(job["job_uuid"], entry["seq"], row, known) for row in rows)}
    store.keep_tasks(list(newer.values()))
    job["counts"] = _counted({**known, **newer}.values())
    if entry["body"].get("slurm_job_id"):
        set_fields(job, {"slurm_job_id": entry["body"]["slurm_job_id"]})


def _counted(tasks: Iterable[Document]) -> dict[str, int]:
    """Return how many tasks are in each state."""
    words = (parse_state(str(json.loads(task["row"]).get("State", ""))).word for task in tasks)
    return dict(Counter(words).most_common())


def _fields(_store: JobStore, job: Document, _key: str, entry: Mapping[str, Any]) -> None:
    fields = entry["body"]["fields"]
    validate.check(fields, _FIELDS_SHAPE, where="body.fields.", more_keys=True)
    set_fields(job, {key: value for key, value in secrets.scrubbed(fields).items() if key in _FIELDS_SHAPE})


def _keep(store: JobStore, job: Document, key: str, entry: Mapping[str, Any]) -> None:
    add_event(store, job, key, {**entry, "body": secrets.scrubbed(entry["body"])}, mails=False)


def _notice(store: JobStore, job: Document, key: str, entry: Mapping[str, Any]) -> None:
    mails = not job.get("campaign") and notify.mails_notice(user_input(job), entry["body"]["severity"])
    add_event(store, job, key, entry, mails=mails)
    if entry["body"].get("flag") is not None and not job["ended"]:
        job["flag"] = entry["body"]["flag"]


def add_event(store: JobStore, job: Document, key: str, entry: Mapping[str, Any], *, mails: bool) -> None:
    """Store an entry as an event under its key, with a mail that is due or without; the job counts it."""
    job["events"] += 1
    recorded_at = clock.now()
    store.add_event(
        {
            "_id": f"{job['job_uuid']}:{key}",
            "job_uuid": job["job_uuid"],
            "owner": job["owner"],
            "key": key,
            "kind": entry["kind"],
            "sort": f"{job['events']:09d} {key}",
            "at": entry["at"],
            "recorded_at": recorded_at,
            "body": _bounded(entry["body"]),
            "mail_state": DUE if mails else NO_MAIL,
            "mail_due_at": recorded_at if mails else "",
            "mail_attempts": 0,
            "mail_sent_at": "",
            "mail_remark": "",
        }
    )


def _bounded(body: Mapping[str, Any]) -> str:
    """Write a body as JSON; of one too large for the database, what is large is left out (and named)."""
    written = json.dumps(body)
    if len(written) <= _MOST_EVENT_CHARS:
        return written
    large = [key for key, value in body.items() if len(json.dumps(value)) > _MOST_KEPT_CHARS]
    return json.dumps({**{key: value for key, value in body.items() if key not in large}, "left_out": large})


#: kind: shape of the body, keys it must have, what it does
_KINDS: dict[str, tuple[Mapping[str, Rule], tuple[str, ...], Effect]] = {
    "state": (STATE_SHAPE, ("state",), _state),
    "tasks": ({"slurm_job_id": ANYTHING, "rows": many(ROW)}, ("rows",), _tasks),
    "fields": ({"fields": OBJECT}, ("fields",), _fields),
    "module": ({}, (), _keep),
    "notice": (NOTICE_SHAPE, ("severity", "message"), _notice),
}
