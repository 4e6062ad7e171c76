"""What became of a submission that was handed over to its cluster: the registry has heard of it since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.errors import RegistryError, StageFailed
from project.core.states import GatewayState
from project.ports import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from project.ports import RecordStore, Registry


def learn_fate(record: dict[str, Any], registry: Registry, records: RecordStore) -> str:
    """Return the state of a submission and keep in its record what is known for good.

    "" while the registry does not say; then its cluster may be asked.
    """
    try:
        job = registry.job(str(record["job_uuid"]))
    except RegistryError:
        return ""
    state = str(job["state"])
    if job.get("slurm_job_id"):
        record.update(stage=Stage.SUBMITTED, slurm_job_id=str(job["slurm_job_id"]))
    elif state == GatewayState.ERROR.value:
        record.update(stage=Stage.FAILED, error=_error_of(job))
    records.save(record)
    return state


def _error_of(job: Mapping[str, Any]) -> dict[str, str]:
    """Return what a job ended with, as its cluster reported it."""
    bodies = [event["body"] for event in job.get("timeline", ()) if event["kind"] == "state"]
    last: Mapping[str, Any] = next(
        (body for body in reversed(bodies) if body["state"] == GatewayState.ERROR.value), {}
    )
    known = {"type": StageFailed.__name__, "message": job.get("reason"), **(last.get("error") or {})}
    return {key: str(text or "") for key, text in {**known, "detail": last.get("detail")}.items()}
