"""A job as it is answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from api_srv.services.job_document import MARKS, PLAIN_FIELDS, user_input
from project.core.slurm.commands import REPORTED_COLUMNS
from project.core.states import NOT_SUBMITTED, GatewayState, is_submitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from api_srv.dao.ports import Document

#: Of a cluster that invents others for each task, an answer would have no end.
_MOST_COLUMNS = 200
_SHOWN = ("job_uuid", "owner", "state", "reason", "outcome", "ended", "slurm_job_id", "created_at", "updated_at")


def summary(job: Document) -> dict[str, Any]:
    """Return what a list of jobs shows of one."""
    label = user_input(job).get("job_name")
    later = {"counts": job.get("counts") or {}, "flag": job.get("flag") or "", **{key: job.get(key) for key in MARKS}}
    own = {"cluster": job["cluster"], "job_name": label, "campaign": campaign_of(job)}
    return {**{key: job[key] for key in _SHOWN}, **own, **later}


def campaign_of(job: Document) -> dict[str, str] | None:
    """Return what makes a job a part of a campaign, None for others."""
    return {"uuid": job["campaign"], "indexes": job["indexes"]} if job.get("campaign") else None


def view(job: Document, tasks: Iterable[Document], events: Iterable[Document]) -> dict[str, Any]:
    """Return a whole job."""
    happened = [timeline_entry(event) for event in events]
    reported = [entry["body"] for entry in happened if entry["kind"] == "module"]
    return {
        "schema": job["schema"],
        **summary(job),
        **{key: job.get(key) for key in PLAIN_FIELDS},
        "user_input": user_input(job),
        "destination_cluster": json.loads(job["destination_cluster"]),
        "modules": json.loads(job["modules"]) + reported,
        "job_status": columns_of([json.loads(task["row"]) for task in tasks]),
        "last_seq": job["last_seq"],
        "timeline": [_created(job), *(entry for entry in happened if entry["kind"] != "module")],
    }


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Turn rows into columns of equal length: sacct's, and what a cluster reports besides, which has an end.

    What a row lacks is "".
    """
    names = list(dict.fromkeys([*REPORTED_COLUMNS, *(column for row in rows for column in row)]))[:_MOST_COLUMNS]
    return {name: [row.get(name, "") for row in rows] for name in names}


def task_states(job: Document, tasks: Sequence[Document]) -> list[str]:
    """Return the current state of each task; before Slurm has the job, `["NOT_SUBMITTED"]`."""
    if tasks:
        return [str(json.loads(task["row"]).get("State", "")) or job["state"] for task in tasks]
    return [job["state"] if job["slurm_job_id"] and is_submitted(job["state"]) else NOT_SUBMITTED]


def timeline_entry(event: Document) -> dict[str, Any]:
    """Return an event as the timeline shows it."""
    keys = ("key", "kind", "at", "recorded_at")
    mail = {"mail": event["mail_state"]} if event["mail_state"] else {}
    return {**{key: event[key] for key in keys}, "body": json.loads(event["body"]), **mail}


def _created(job: Document) -> dict[str, Any]:
    body = {"state": GatewayState.CREATED.value, "reason": "", "detail": ""}
    at = job["created_at"]
    return {"key": "created", "kind": "state", "at": at, "recorded_at": at, "body": body}
