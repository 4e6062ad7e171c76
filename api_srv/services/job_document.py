"""A job as it is stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from project.core.campaign import PART
from project.core.messages import SCHEMA
from project.core.rules import ANYTHING, COLUMNS, OBJECT, SCALAR, TIME, UUID, Rule, many, optional, text, whole
from project.core.states import GatewayState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api_srv.dao.ports import Document

#: Fields a cluster or the owner may set, with their rules; stored as they are.
PLAIN_FIELDS: dict[str, Rule] = {
    "job_directory": text(),
    "working_directory": text(),
    "slurm_job_id": SCALAR,
    "online_job_file": SCALAR,
    "tar_file": SCALAR,
    "commit": SCALAR,
}
#: What only the owner's own programs say of a job: when its results were fetched, when its folder on the cluster was
#: removed, the job it repeats, and when its cluster said that it would start.
MARKS: dict[str, Rule] = {
    "fetched_at": optional(TIME),
    "cleaned_at": optional(TIME),
    "resubmission_of": optional(UUID),
    "predicted_start": optional(TIME),
}
#: Fields the owner may set besides. JSON that others made up is stored as text: its keys may be anything.
OWNER_FIELDS: dict[str, Rule] = {
    **PLAIN_FIELDS,
    **MARKS,
    "user_input": OBJECT,
    "modules": many(ANYTHING),
    "destination_cluster": Rule(
        lambda value: isinstance(value, str | dict),
        "a cluster's name or its document",
        {"type": ["string", "object"]},
    ),
    "schema": whole(1),
    "job_uuid": UUID,
}
#: Fields a job has from its creation on, or never.
LASTING_FIELDS: dict[str, Rule] = {"campaign": PART}
_PLACES = 10  # enough for the highest array task id


STATUS_FIELD: dict[str, Rule] = {"job_status": COLUMNS}


def new_job(job_uuid: str, owner: str, cluster: Mapping[str, Any], now: str) -> Document:
    """Return the document of a job that has just been created, without what its owner says of it."""
    return {
        "_id": job_uuid,
        "schema": SCHEMA,
        "job_uuid": job_uuid,
        "owner": owner,
        "cluster": cluster["name"],
        "destination_cluster": json.dumps(cluster),
        **dict.fromkeys((*PLAIN_FIELDS, *MARKS), None),
        "job_directory": "",
        "working_directory": "",
        "campaign": "",
        "indexes": "",
        "user_input": "{}",
        "modules": "[]",
        "label": "",
        "counts": {},
        "flag": "",
        "state": GatewayState.CREATED.value,
        "reason": "",
        "outcome": None,
        "ended": False,
        "created_at": now,
        "updated_at": now,
        "sort": f"{now} {job_uuid}",
        "last_seq": 0,
        "events": 0,
        "recent_keys": [],
    }


def set_fields(job: Document, fields: Mapping[str, Any]) -> None:
    """Store checked fields in a job's document."""
    for key, value in fields.items():
        if key in PLAIN_FIELDS or key in MARKS:
            job[key] = str(value) if key == "slurm_job_id" and value is not None else value
        elif key in {"user_input", "modules"}:
            job[key] = json.dumps(value)
        elif key == "campaign":
            job["campaign"], job["indexes"] = value["uuid"], value["indexes"]
        if key == "user_input":
            job["label"] = str(value.get("job_name") or "")


def user_input(job: Document) -> dict[str, Any]:
    """Return the job file as the registry knows it."""
    parsed: dict[str, Any] = json.loads(job["user_input"])
    return parsed


def rows_of(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Turn `job_status` (columns) into rows, each with its `task` read from JobID (`4711_3` is task 3)."""
    names = list(columns)
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [{"task": str(row.get("JobID", "")).partition("_")[2], **row} for row in rows]


def task_document(job_uuid: str, seq: int, row: Mapping[str, Any], known: Mapping[str, Document]) -> Document:
    """Return the document of one task: what is known of it, overlaid by what changed."""
    task = "" if row.get("task") is None else str(row["task"])
    key = f"{job_uuid}:{task}"
    earlier = json.loads(known[key]["row"]) if key in known else {}
    place = int(task) if task.isdecimal() and len(task) < _PLACES else 0
    content = {**earlier, **{column: value for column, value in row.items() if column != "task"}}
    return {
        "_id": key,
        "job_uuid": job_uuid,
        "sort": f"{place:0{_PLACES}d} {task}",
        "seq": seq,
        "row": json.dumps(content),
    }
