"""What the registry answers, as tables: the client checks its answers by them, the OpenAPI description shows them."""

from typing import Any, Dict

from project.core.campaign import PART
from project.core.cluster import SHAPE
from project.core.cluster_status import FORETOLD, STATUS
from project.core.rules import (
    ANYTHING,
    COLUMNS,
    COUNTS,
    FLAG,
    NAME,
    OBJECT,
    TIME,
    UUID,
    Rule,
    keyed,
    many,
    optional,
    text,
    whole,
    written,
)
from project.core.slurm.commands import REPORTED_COLUMNS

#: The kind of event that the registry makes of a campaign's end; nobody else may.
DIGEST = "digest"

#: One job in a list.
SUMMARY: Dict[str, Rule] = {
    "job_uuid": UUID,
    "owner": NAME,
    "cluster": NAME,
    "state": text(least=1),
    "reason": text(),
    "outcome": optional(text(least=1)),
    "ended": FLAG,
    "slurm_job_id": optional(text()),
    "created_at": TIME,
    "updated_at": TIME,
    "job_name": ANYTHING,
    "counts": COUNTS,
    "flag": text(),
    "fetched_at": optional(TIME),
    "cleaned_at": optional(TIME),
    "resubmission_of": optional(UUID),
    "campaign": optional(PART),
}
EVENT: Dict[str, Rule] = {"kind": text(least=1), "at": TIME, "recorded_at": TIME, "body": OBJECT}
_EVENT = keyed(EVENT, "an event")
_DIGEST = keyed(
    {"state": text(least=1), "message": text(), "problems": many(text())}, "a digest", ("state", "message")
)


def _is_event(value: Any) -> bool:
    """Whether `value` is an event; one of a kind that the registry itself makes holds what others go by."""
    return _EVENT.accepts(value) and (value["kind"] != DIGEST or _DIGEST.accepts(value["body"]))


def _is_status(value: Any) -> bool:
    return COLUMNS.accepts(value) and set(REPORTED_COLUMNS) <= set(value)


#: All values of a job.
JOB: Dict[str, Rule] = {
    **SUMMARY,
    "user_input": OBJECT,
    "destination_cluster": OBJECT,
    "modules": many(ANYTHING),
    "job_status": Rule(_is_status, COLUMNS.wanted, {**COLUMNS.schema, "required": list(REPORTED_COLUMNS)}),
    "last_seq": whole(0),
    "timeline": many(_EVENT._replace(accepts=_is_event)),
}
#: A cluster; what its document holds is checked closely only where it is used (core.cluster.checked).
CLUSTER: Dict[str, Rule] = {"name": NAME, "enabled": FLAG, "status": optional(STATUS), "foretold": optional(FORETOLD)}
CREDENTIALS: Dict[str, Rule] = {"token": written("[!-~]+", "a token", 1000), "expires_at": TIME, "url": text(1000)}
TOKEN: Dict[str, Rule] = {key: CREDENTIALS[key] for key in ("token", "expires_at")}
ACCOUNT: Dict[str, Rule] = {"name": NAME, "mail": text(), "admin": FLAG}
TAKEN: Dict[str, Rule] = {"acknowledged": COUNTS, "refused": OBJECT}
PROBLEM: Dict[str, Rule] = {"type": text(), "title": text(), "status": whole(400, 599), "detail": text()}
#: A cluster as a registry of this version answers it.
WHOLE_CLUSTER: Dict[str, Rule] = {**SHAPE, "status": optional(STATUS), "foretold": optional(FORETOLD)}
