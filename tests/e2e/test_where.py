"""Where a job would start first: two real clusters are asked, and the job goes to the better one."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from project.sandbox import api as sandbox
from tests.e2e.far_side import UUID, registry_job, slurm_of, submit, wait_for_state, wait_until, write_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.grid import Grid
    from project.sandbox.describe import SandboxInfo

pytestmark = [pytest.mark.slurm, pytest.mark.needs("sandbox")]


@pytest.fixture(scope="module")
def small(grid: Grid) -> Iterator[SandboxInfo]:
    """A second cluster, of one small node."""
    folder = Path(tempfile.mkdtemp(prefix="gf-", dir="/tmp"))
    options = sandbox.SandboxOptions(name="small", nodes=1, cpus=2, memory_mib=1024)
    try:
        info = sandbox.up(folder, options=options)
        grid.register(info)
        (grid.folder / "settings.yml").write_text(
            json.dumps({"clusters": {"small": {"private_key": str(info.ssh_key)}}})
        )
        yield info
    finally:
        (grid.folder / "settings.yml").unlink(missing_ok=True)
        sandbox.down(folder)
        shutil.rmtree(folder, ignore_errors=True)
        url = f"{grid.registry_url}/clusters/small"
        requests.delete(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10)


def where(grid: Grid, folder: Path, destination: str, **keys: Any) -> tuple[int, list[dict[str, Any]], str]:
    """Ask where a job would go; return exit code, answer and what was said."""
    path = write_job(folder, execution=["true"], **keys)
    settings = grid.job_settings(destination_cluster=destination)
    done = grid.client("where", "-u", str(path), *settings, "--json", folder=folder)
    return done.returncode, json.loads(done.stdout or "[]"), done.stderr


def test_all_are_asked_and_the_reasons_told(grid: Grid, small: SandboxInfo, tmp_path: Path) -> None:
    """A job too large for one cluster goes to the other; what is in the way of others is told."""
    grid.register(small, name="away", port=1)
    resources = {"nbr_processes": 8, "memory_per_thread": "10M", "duration": "5m"}
    code, found, said = where(grid, tmp_path, "[small, away, sandbox]", resources=resources)
    assert code == 0, said
    assert [(place["cluster"], place["chosen"]) for place in found] == [
        ("sandbox", True),
        ("small", False),
        ("away", False),
    ]
    assert found[0]["reason"] == "the only one that can run it"
    assert found[0]["starts_in_s"] < 60
    assert "Requested node configuration is not available" in found[1]["reason"]
    assert "refuses" in found[2]["problem"]
    path = write_job(tmp_path, execution=["true"], resources=resources)
    settings = grid.job_settings(destination_cluster="[small, away, sandbox]")
    table = grid.client("where", "-u", str(path), *settings, folder=tmp_path).stdout.splitlines()
    assert table[0].split()[:2] == ["CLUSTER", "ANSWERS"]
    assert {"WOULD START", "FREE", "WHY"} <= {
        column for column in ("WOULD START", "FREE", "WHY") if column in table[0]
    }
    assert table[1].split()[:4] == ["*", "sandbox", "yes", "now"]
    assert [line.split()[:2] for line in table[2:]] == [["small", "yes"], ["away", "no"]]


def test_what_counts_is_the_job_as_its_staging_modules_leave_it(
    grid: Grid, small: SandboxInfo, tmp_path: Path
) -> None:
    """A module that asks for more processes than a cluster has makes that cluster refuse."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "more.sh").write_text('sed \'s/"nbr_processes": 1/"nbr_processes": 8/\'\n')
    (tmp_path / "modules.yml").write_text("staging:\n  1:\n    module: more.sh\n    execution: sh more.sh\n")
    path = write_job(tmp_path, execution=["true"], resources={"nbr_processes": 1, "memory_per_thread": "10M"})
    job = ("where", "-u", str(path), *grid.job_settings(destination_cluster=small.name))
    assert grid.client(*job, folder=tmp_path).returncode == 0
    done = grid.client(*job, "-m", str(tmp_path / "modules.yml"), folder=tmp_path)
    assert (done.returncode, "node configuration is not available" in done.stdout) == (10, True), done.stderr


def test_a_job_that_fits_nowhere_is_told(grid: Grid, small: SandboxInfo, tmp_path: Path) -> None:
    """Exit 10, and what each cluster said."""
    code, _, said = where(grid, tmp_path, small.name, resources={"nbr_processes": 800, "memory_per_thread": "10M"})
    assert (code, "no cluster that answers would run this job" in said) == (10, True)


def test_a_limit_that_sbatch_would_not_mind_is_told(grid: Grid, small: SandboxInfo, tmp_path: Path) -> None:
    """A time limit above the partition's would wait for ever: that cluster is no candidate."""
    resources = {"duration": "30d", "partition": "debug", "memory_per_thread": "10M"}
    code, _, said = where(grid, tmp_path, small.name, resources=resources)
    assert (code, "above 10m 0s of partition debug" in said) == (10, True)


def test_auto_goes_where_it_starts_first(grid: Grid, small: SandboxInfo, tmp_path: Path) -> None:
    """With one cluster busy for an hour the job goes to the other; the forecast is kept beside what came."""
    busy = slurm_of(small, "sbatch", "--parsable", "-n2", "-t60", "--mem=10", "-o", "/dev/null", "--wrap=sleep 3600")
    try:
        wait_until(lambda: "R" in slurm_of(small, "squeue", "-h", "-o%t"), what="the job that is in the way")
        path = write_job(tmp_path, execution=["echo $NODE_NAME"], resources={"duration": "5m"})
        settings = grid.job_settings(destination_cluster="auto")
        done = grid.client("-u", str(path), *settings, "--fresh", folder=tmp_path)
    finally:
        slurm_of(small, "scancel", busy.strip())
    assert done.returncode == 0, done.stderr
    assert "*  sandbox" in done.stderr
    assert "would start" in done.stderr
    job = wait_for_state(grid, UUID.findall(done.stdout)[0], "DONE")
    assert (job["destination_cluster"]["name"], job["outcome"]) == ("sandbox", "COMPLETED")
    assert job["predicted_start"]
    _, found, said = where(grid, tmp_path, "[sandbox]")
    assert found[0]["foretold"]["jobs"] >= 1, said
    listed = {cluster["name"]: cluster for cluster in json.loads(grid.client("clusters", "--json").stdout)}
    assert listed["sandbox"]["foretold"] == found[0]["foretold"]
    rows = grid.client("clusters").stdout.splitlines()
    assert "STARTS" in rows[0]
    assert any(row.startswith("sandbox ") and f"({found[0]['foretold']['jobs']})" in row for row in rows)


def test_a_refused_job_goes_on_to_the_next_cluster(grid: Grid, small: SandboxInfo, tmp_path: Path) -> None:
    """What a cluster refuses for good goes to the next one as a new job that names the first; never are there two."""
    parent = submit(grid, tmp_path, execution=["true"])
    wait_for_state(grid, parent, "DONE")
    path = write_job(tmp_path, execution=["true"], dependencies=[parent])  # which only one of the clusters knows
    settings = grid.job_settings(destination_cluster="[small, sandbox]")
    done = grid.client("-u", str(path), *settings, "--fresh", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "small refused job" in done.stderr
    job = wait_for_state(grid, UUID.findall(done.stdout)[0], "DONE")
    assert (job["destination_cluster"]["name"], job["outcome"]) == ("sandbox", "COMPLETED")
    refused = registry_job(grid, job["resubmission_of"])
    assert (refused["destination_cluster"]["name"], refused["state"]) == ("small", "ERROR")
    assert parent not in slurm_of(small, "sacct", "-Xn", "-S", "now-1day", "--format=JobName%40")
    assert refused["job_uuid"] not in slurm_of(small, "sacct", "-Xn", "-S", "now-1day", "--format=JobName%40")


def test_the_statuses_come_along(grid: Grid, small: SandboxInfo, tmp_path: Path) -> None:
    """Whoever asks where a job may run also freshens what the registry knows of each cluster."""
    where(grid, tmp_path, small.name, resources={"memory_per_thread": "10M"})
    shown = json.loads(grid.client("info", small.name, "--json").stdout)
    assert shown["clusters"][0]["status"]["cluster"]["cpus"]["total"] == 2
