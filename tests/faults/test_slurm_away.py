"""Submitting while the real slurmctld stands still or is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contract.slurm.cluster import Cluster
    from tests.faults.daemons import Daemons

_RUN = "echo $SLURM_JOB_ID >> runs.txt"


def test_what_slurm_does_after_its_client_gave_up_is_found(cluster: Cluster, daemons: Daemons) -> None:
    """The controller stands still for 20 s: sbatch gives up after 9, and the job it asked for comes all the same."""
    job = cluster.job(_RUN)
    with daemons.stopped("slurmctld", 20):
        slurm_job_id = job.submit()
    job.wait_until_it_ran()
    assert job.runs() == 1
    ended = {found: state.split()[0] for found, state in job.in_slurm().items()}
    assert ended.pop(slurm_job_id) in {"COMPLETED", "COMPLETING"}
    assert set(ended.values()) <= {"CANCELLED"}
    assert len(job.notices()) == len(ended)
