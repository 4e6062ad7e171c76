"""A real Slurm from whose accounting somebody deletes jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.layout import ClusterPaths
from project.wrapper import files
from project.wrapper.follow.followed import LOST_AFTER_S
from project.wrapper.slurm import Slurm
from tests.contract.processes import poll
from tests.contract.slurm.cluster import Cluster
from tests.contract.slurm.following import Following
from tests.contract.slurm.real import one_node
from tests.fakes.clock import QuickClock
from tests.faults import accounting_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project.sandbox import api
    from tests.contract.slurm.cluster import ClusterJob

_NAME = "forgetful"
_RUN = "echo $SLURM_JOB_ID >> runs.txt"
_WHOLE_WAY = ["SUBMITTED", "PENDING", "RUNNING", "COMPLETED", "DONE"]


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[api.SandboxInfo]:
    """A Slurm whose queue forgets a job seconds after its end."""
    yield from one_node(tmp_path_factory.mktemp("sb"), _NAME, slurm_lines=("MinJobAge=2",))


@pytest.fixture
def patient(forgetful: api.SandboxInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster with this Slurm, on which nobody waits."""
    monkeypatch.setenv("SLURM_CONF", str(forgetful.slurm_conf))
    cluster = Cluster(ClusterPaths(str(tmp_path / "gridferry")), Slurm(), QuickClock(), None)
    files.make_folder(cluster.paths.follower)
    return cluster


def _ids_in_queue(cluster: Cluster) -> set[str]:
    return {row.slurm_job_id for row in cluster.slurm.queue()}


def _delete(sandbox: api.SandboxInfo, cluster: Cluster, job: ClusterJob, state: str) -> None:
    """Delete a job from the accounting once that knows all of it: what slurmctld still has to tell brings it back."""
    slurm_job_id = str(job.id_on_disk)
    whole = [(state, job.job.job_uuid)]
    poll(lambda: [(row["State"], row["JobName"]) for row in cluster.slurm.account([slurm_job_id])] == whole, state)
    assert accounting_rows.delete(sandbox.folder, _NAME, slurm_job_id) == 1
    assert cluster.slurm.account([slurm_job_id]) == []


def test_a_job_deleted_from_queue_and_accounting_is_told(forgetful: api.SandboxInfo, patient: Cluster) -> None:
    """Before its end was seen: nothing is made up; after a quarter of an hour, not before, that is an ERROR."""
    following, job = Following(patient), patient.job(_RUN)
    slurm_job_id = job.into_the_queue()
    job.wait_until_it_ran()
    _delete(forgetful, patient, job, "COMPLETED")
    poll(lambda: slurm_job_id not in _ids_in_queue(patient), "the queue has forgotten it", 120)
    patient.clock.sleep(60)
    following.follower.round()
    patient.clock.sleep(LOST_AFTER_S - 60)
    following.follower.round()
    assert job.states() == ["SUBMITTED"]
    patient.clock.sleep(120)
    following.follower.round()
    assert job.states() == ["SUBMITTED", "ERROR"]
    body = job.job.journal.entries()[-1]["body"]
    assert (body["stage"], "nor does its accounting" in body["reason"]) == ("queue", True)
    assert "noted 2 starts and ends" in body["reason"]


def test_a_running_job_deleted_from_the_accounting_is_followed_on(
    forgetful: api.SandboxInfo, patient: Cluster
) -> None:
    """The queue still lists it: it goes on as before, and no state is made up."""
    following, job = Following(patient), patient.job(_RUN, "while [ ! -e go ]; do sleep 0.2; done")
    job.into_the_queue()
    following.until(lambda: job.states()[-1] == "RUNNING", "it runs")
    _delete(forgetful, patient, job, "RUNNING")
    for _ in range(3):
        patient.clock.sleep(LOST_AFTER_S)
        following.follower.round()
    assert job.states() == ["SUBMITTED", "PENDING", "RUNNING"]
    Path(job.job.paths.work, "go").touch()
    job.wait_until_it_ran()
    assert job.runs() == 1


def test_a_job_deleted_after_its_end_was_told_stays_as_told(forgetful: api.SandboxInfo, patient: Cluster) -> None:
    """A purge of old rows changes nothing of what the registry knows."""
    following, job = Following(patient), patient.job(_RUN)
    job.into_the_queue()
    following.until(lambda: job.states()[-1] == "DONE", "its end is told")
    _delete(forgetful, patient, job, "COMPLETED")
    Path(patient.paths.active, job.job.job_uuid).touch()
    for _ in range(3):
        patient.clock.sleep(LOST_AFTER_S)
        following.follower.round()
    assert job.states() == _WHOLE_WAY
