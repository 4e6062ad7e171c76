"""What somebody who describes this cluster to the registry wants to know of it."""

from typing import Any, Dict

from project.toolbox.doctor.patient import DoctorSlurm
from project.wrapper.clock import Clock


def scan(slurm: DoctorSlurm, clock: Clock) -> Dict[str, Any]:
    """Return the `scan` event's fields: Slurm's name of the cluster, its partitions, limits and nodes.

    Raises:
        SchedulerUnavailable: Slurm does not answer.
    """
    return {
        "cluster_name": slurm.config().get("ClusterName", ""),
        "partitions": [partition._asdict() for partition in slurm.partitions()],
        "limits": slurm.limits()._asdict(),
        "status": slurm.status(clock.now_utc()),
    }
