"""What only several hosts can show: parts of a cluster that fail while the others go on."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
import requests

from demo.docker.site import DockerSite
from tests.e2e.far_side import (
    UUID,
    accounted,
    mailed_states,
    registry_job,
    slurm,
    submit,
    wait_for_mail,
    wait_for_state,
    wait_until,
    write_job,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.grid import Grid

pytestmark = [pytest.mark.slurm, pytest.mark.needs("several hosts")]


@pytest.fixture
def site(grid: Grid) -> Iterator[DockerSite]:
    """The clusters, without any job of an earlier test; whole again afterwards."""
    assert isinstance(grid.site, DockerSite)
    slurm(grid, "scancel", f"--user={grid.info.ssh_user}")
    grid.site.wait_until_idle(grid.info.name)
    yield grid.site
    slurm(grid, "scancel", f"--user={grid.info.ssh_user}")
    grid.site.wait_until_idle(grid.info.name)


#: What befalls a login node, and how that is undone; `{}` is its container.
_FAILURES = {
    "paused": (["pause", "{}"], ["unpause", "{}"]),
    "network disconnected": (["network", "disconnect", "{network}", "{}"], ["network", "connect", "{network}", "{}"]),
    "stopped": (["stop", "--time=1", "{}"], ["start", "{}"]),
}


@contextlib.contextmanager
def _failing(site: DockerSite, cluster: str, failure: str) -> Iterator[None]:
    container = site.container(f"{cluster}-login")
    words = {"network": f"{site.project}_{cluster}"}
    befall, undo = ([word.format(container, **words) for word in argv] for argv in _FAILURES[failure])
    site.engine.docker(*befall)
    try:
        yield
    finally:
        site.engine.docker(*undo)


@pytest.mark.parametrize("failure", _FAILURES)
def test_job_goes_to_another_cluster_when_the_login_node_is_away(
    grid: Grid, tmp_path: Path, site: DockerSite, failure: str
) -> None:
    """A login node that is paused, cut off or stopped: --yes takes the cluster with the same preferred jobs."""
    path = write_job(tmp_path, execution=["hostname > out.txt"], output=["out.txt"])
    grid.register(grid.info, preferred_jobs=["serial"])
    try:
        with _failing(site, grid.info.name, failure):
            done = grid.client("-u", str(path), *grid.job_settings(), "--yes", "--fresh", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        job = wait_for_state(grid, UUID.findall(done.stdout)[0], "DONE")
        assert (job["destination_cluster"]["name"], job["outcome"]) == ("nic5", "COMPLETED")
    finally:
        grid.register(grid.info)


def _nodes(grid: Grid) -> dict[str, dict[str, Any]]:
    answer = requests.get(
        f"{grid.registry_url}/clusters", headers={"Authorization": f"Bearer {grid.token}"}, timeout=10
    )
    status = next(cluster for cluster in answer.json() if cluster["name"] == grid.info.name)["status"]
    return {node["name"]: node for node in (status or {}).get("nodes", [])}


@contextlib.contextmanager
def _killed_node(grid: Grid, site: DockerSite, job_uuid: str) -> Iterator[str]:
    """Kill the node a job runs on; have Slurm know it at once, with a reason."""
    wait_until(lambda: accounted(grid, job_uuid, "NodeList") != ["None"], what="a node")
    node = slurm(grid, "squeue", "--noheader", "--format=%N", f"--name={job_uuid}").strip()
    container = site.container(f"{grid.info.name}-node", int(node.rpartition("-")[2]))
    site.engine.docker("kill", container)
    slurm(grid, "scontrol", "update", f"nodename={node}", "state=down", "reason=its power supply burns")
    try:
        yield node
    finally:
        site.engine.docker("start", container)
        site.run(["scontrol", "update", f"nodename={node}", "state=resume"])  # refused when it came back by itself


def test_node_that_dies_under_a_job_is_told_with_its_reason(grid: Grid, tmp_path: Path, site: DockerSite) -> None:
    """NODE_FAIL is mailed; the cluster's status shows the node, down, with the administrator's reason."""
    job_uuid = submit(grid, tmp_path, execution=["sleep 300"])
    watched = submit(grid, tmp_path, execution=["sleep 60"])  # keeps the follower, and so the status, going
    wait_for_state(grid, job_uuid, "RUNNING")
    with _killed_node(grid, site, job_uuid) as node:
        assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "NODE_FAIL"
        wait_for_mail(grid, job_uuid, "NODE_FAIL")
        seen = wait_until(lambda: (_nodes(grid).get(node) or {}).get("reason"), what="the node's reason")
        assert seen == "its power supply burns"
        assert _nodes(grid)[node]["state"] == "down"
    slurm(grid, "scancel", registry_job(grid, watched)["slurm_job_id"])


def _wait_until_queued_again(grid: Grid, slurm_job_id: str) -> None:
    """Wait until Slurm has done with the dead node; a failure tells what it waits for."""
    queued = ["squeue", "--noheader", "--format=%T", f"--jobs={slurm_job_id}"]
    try:
        wait_until(lambda: slurm(grid, *queued).strip() == "PENDING", what="the requeueing")
    except AssertionError as error:
        shown = slurm(grid, "scontrol", "show", "job", slurm_job_id) + slurm(grid, "scontrol", "show", "node")
        raise AssertionError(f"{error}: {shown}") from None


def test_requeued_job_runs_again_under_its_id_and_counts_once(grid: Grid, tmp_path: Path, site: DockerSite) -> None:
    """With `requeue: true` a job whose node died runs again under the same Slurm id, and ends once."""
    resources = {"duration": "10m", "memory_per_thread": "50M", "requeue": True}
    execution = ["echo run >> runs.txt", "test $(wc -l < runs.txt) -gt 1 || sleep 300"]
    job_uuid = submit(grid, tmp_path, execution=execution, output=["runs.txt"], resources=resources)
    slurm_job_id = wait_for_state(grid, job_uuid, "RUNNING")["slurm_job_id"]
    with _killed_node(grid, site, job_uuid):
        _wait_until_queued_again(grid, slurm_job_id)
        slurm(
            grid, "scontrol", "update", f"jobid={slurm_job_id}", "starttime=now"
        )  # Slurm itself would wait 2 minutes
        job = wait_for_state(grid, job_uuid, "DONE")
    assert (job["outcome"], job["slurm_job_id"]) == ("COMPLETED", slurm_job_id)
    assert mailed_states(grid, job_uuid).count("COMPLETED") == 1
    done = grid.client("-r", job_uuid, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / job_uuid / "runs.txt").read_text() == "run\nrun\n"


def test_controller_restarted_under_a_running_job(grid: Grid, tmp_path: Path, site: DockerSite) -> None:
    """Slurmctld goes away and comes back while a job runs: each change is told once, nothing is lost."""
    job_uuid = submit(grid, tmp_path, execution=["sleep 20"])
    wait_for_state(grid, job_uuid, "RUNNING")
    site.engine.docker("restart", "--time=2", site.container(f"{grid.info.name}-slurmctld"))
    assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "COMPLETED"
    wait_for_mail(grid, job_uuid, "COMPLETED")
    assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]


def test_login_node_replaced_under_a_running_job(grid: Grid, tmp_path: Path, site: DockerSite) -> None:
    """A new host with the same home and host key: no question is asked, the follower is taken over, mails come."""
    job_uuid = submit(grid, tmp_path, execution=["sleep 25"])
    wait_for_state(grid, job_uuid, "RUNNING")
    before = grid.site.run(["hostname"]).stdout
    site.compose("up", "--detach", "--force-recreate", "--no-deps", f"{grid.info.name}-login")
    wait_until(lambda: grid.site.run(["sinfo"]).returncode == 0, what="the new login node")
    assert grid.site.run(["hostname"]).stdout != before
    other = submit(grid, tmp_path, execution=["true"])
    for uuid in (job_uuid, other):
        assert wait_for_state(grid, uuid, "DONE")["outcome"] == "COMPLETED"
        wait_for_mail(grid, uuid, "COMPLETED")
        assert mailed_states(grid, uuid) == ["PENDING", "RUNNING", "COMPLETED"]


def test_job_outlives_several_restarts_of_the_registry(grid: Grid, tmp_path: Path) -> None:
    """The registry is stopped and started three times while a job runs: every change arrives once, in order."""
    job_uuid = submit(grid, tmp_path, execution=["sleep 15"])
    for _ in range(3):
        assert grid.registry is not None
        grid.registry.stop()
        grid.start_registry()
        wait_until(lambda: registry_job(grid, job_uuid), what="the registry")
    wait_for_mail(grid, job_uuid, "COMPLETED")
    assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]
