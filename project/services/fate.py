"""What became of a submission that was handed over to its cluster: the registry has heard of it since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.errors import RegistryError
from project.core.states import GatewayState
from project.ports import Stage

if TYPE_CHECKING:
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
        record.update(stage=Stage.FAILED)
    records.save(record)
    return state
