"""Every kind of job a researcher brings, on a real Slurm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.far_side import (
    accounted,
    fetched,
    registry_job,
    slurm,
    submit,
    wait_for_state,
    wait_until,
    write_job,
)
from tests.repositories import git, make_repository

if TYPE_CHECKING:
    from pathlib import Path

    from demo.grid import Grid

pytestmark = pytest.mark.slurm


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A Git repository with a submodule, a branch and two commits."""
    inner = make_repository(tmp_path / "inner", {"inner.txt": "first\n"})
    outer = make_repository(tmp_path / "outer", {"outer.txt": "first\n"}, f"file://{inner}")
    git(outer, "branch", "old")
    (outer / "outer.txt").write_text("second\n")
    git(outer, "commit", "--quiet", "-am", "second")
    return outer


def test_file_job_arrives_beside_its_commands(grid: Grid, tmp_path: Path) -> None:
    """A job that is a file lies in the working directory, and `requirements` may make it executable."""
    (tmp_path / "hello world.sh").write_text("#!/bin/sh\necho hello from $NODE_NAME > out.txt\n")
    job_uuid = submit(
        grid,
        tmp_path,
        job="hello world.sh",
        requirements=["chmod +x 'hello world.sh'"],
        execution=["./'hello world.sh'"],
        output=["out.txt"],
    )
    assert (fetched(grid, job_uuid, tmp_path) / "out.txt").read_text().startswith(f"hello from {grid.info.name}-")


def test_directory_job_keeps_modes_and_links_and_leaves_out_what_is_ignored(grid: Grid, tmp_path: Path) -> None:
    """A directory arrives with its executable bits and inner links; what .gridferryignore names stays here."""
    source = tmp_path / "source"
    (source / "deep er").mkdir(parents=True)
    (source / "run.sh").write_text("#!/bin/sh\ncat link.txt > result.txt; ls -a >> result.txt\n")
    (source / "run.sh").chmod(0o755)
    (source / "deep er" / "data.txt").write_text("data\n")
    (source / "link.txt").symlink_to("deep er/data.txt")
    (source / "huge.bin").write_text("not wanted")
    (source / ".gridferryignore").write_text("*.bin\n")
    job_uuid = submit(grid, tmp_path, job="source", execution=["./run.sh"], output=["result.txt"])
    result = (fetched(grid, job_uuid, tmp_path) / "result.txt").read_text()
    assert result.startswith("data\n")
    assert "huge.bin" not in result


def test_symlink_out_of_the_directory_is_refused(grid: Grid, tmp_path: Path) -> None:
    """A link that leads out of the job's directory is told before anything is sent."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "passwd").symlink_to("/etc/passwd")
    path = write_job(tmp_path, job="source", execution=["true"])
    done = grid.client("-u", str(path), *grid.job_settings(), folder=tmp_path)
    assert done.returncode == 2
    assert "symlink that leads out" in done.stderr


@pytest.mark.needs("shared disk")
@pytest.mark.parametrize(("ref", "text"), [("", "second"), ("#old", "first")])
def test_git_job_is_cloned_at_a_recorded_commit(
    grid: Grid, tmp_path: Path, repository: Path, ref: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Git URL is pinned to the commit its branch has now, cloned with its submodules, and worked in."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
    job_uuid = submit(
        grid,
        tmp_path,
        job=f"file://{repository}{ref}",
        execution=["cat outer.txt sub1/inner.txt > out.txt"],
        output=["out.txt"],
    )
    assert (fetched(grid, job_uuid, tmp_path) / "out.txt").read_text() == f"{text}\nfirst\n"
    job = registry_job(grid, job_uuid)
    assert job["online_job_file"] is True
    assert job["commit"] == git(repository, "rev-parse", ref[1:] or "main")


def test_git_job_that_the_cluster_cannot_clone_is_brought(grid: Grid, tmp_path: Path, repository: Path) -> None:
    """Where the login node cannot clone (an address only this machine can read), it is cloned here and shipped."""
    git(repository, "rm", "--quiet", "-f", "sub1")
    git(repository, "commit", "--quiet", "-m", "no submodule")
    config = tmp_path / "gitconfig"
    config.write_text(f'[url "file://{repository}"]\n  insteadOf = https://only-here.invalid/x.git\n')
    os.environ["GIT_CONFIG_GLOBAL"] = str(config)
    try:
        job_uuid = submit(
            grid,
            tmp_path,
            job="https://only-here.invalid/x.git",
            execution=["cat outer.txt > out.txt"],
            output=["out.txt"],
        )
    finally:
        del os.environ["GIT_CONFIG_GLOBAL"]
    assert (fetched(grid, job_uuid, tmp_path) / "out.txt").read_text() == "second\n"


def test_all_resources_become_directives(grid: Grid, tmp_path: Path) -> None:
    """Processes, threads, memory, distribution and partition are what Slurm says the job asked for."""
    resources = {
        "duration": "5m",
        "nbr_processes": 4,
        "nbr_threads_per_process": 2,
        "memory_per_thread": "50M",
        "distribution": "distributed",
        "nbr_of_nodes": 2,
        "partition": "debug",
    }
    job_uuid = submit(
        grid,
        tmp_path,
        resources=resources,
        execution=["srun sh -c 'echo \"$SLURMD_NODENAME $OMP_NUM_THREADS $SLURM_CPUS_PER_TASK\"' > out.txt"],
        output=["out.txt"],
    )
    lines = (fetched(grid, job_uuid, tmp_path) / "out.txt").read_text().splitlines()
    assert len(lines) == 4
    assert len({line.split()[0] for line in lines}) == 2
    assert {tuple(line.split()[1:]) for line in lines} == {("2", "2")}
    assert accounted(grid, job_uuid, "Partition,NNodes,NCPUS,Timelimit") == ["debug|2|8|00:05:00"]


def test_throttled_array_with_own_ids(grid: Grid, tmp_path: Path) -> None:
    """{ids, at_once} runs just these task ids, never more at the same time than asked."""
    array = {"ids": "3,5-6", "at_once": 1}
    job_uuid = submit(
        grid, tmp_path, resources={"nbr_jobs_in_array": array, "memory_per_thread": "50M"}, execution=["sleep 0.1"]
    )
    job = wait_for_state(grid, job_uuid, "DONE")
    tasks = [job_id.split("_")[1] for job_id in job["job_status"]["JobID"]]
    assert tasks == ["3", "5", "6"]
    times = sorted(tuple(row.split("|")) for row in accounted(grid, job_uuid, "Start,End"))
    assert all(before[1] <= after[0] for before, after in pairwise(times))


@pytest.mark.needs("--container")
@pytest.mark.skipif(shutil.which("runc") is None or shutil.which("busybox") is None, reason="needs runc and busybox")
def test_container_shows_another_system(grid: Grid, tmp_path: Path) -> None:
    """A job with `container` runs inside a real OCI bundle: its /etc/os-release is not the host's."""
    bundle = grid.site.bring(_make_bundle(grid, tmp_path / "bundle"))
    job_uuid = submit(grid, tmp_path, container=bundle, execution=["cat /etc/os-release", "echo done"])
    job = wait_for_state(grid, job_uuid, "DONE")
    results = fetched(grid, job_uuid, tmp_path)
    printed = next(results.glob("slurm-*.out")).read_text()
    assert (job["outcome"], "a system of our own" in printed, "done" in printed) == ("COMPLETED", True, True)


def _make_bundle(grid: Grid, folder: Path) -> Path:
    """Make a minimal OCI bundle around busybox, for the cluster's user."""
    for name in ("bin", "proc", "sys", "dev", "tmp", "etc"):
        (folder / "rootfs" / name).mkdir(parents=True)
    shutil.copy(str(shutil.which("busybox")), folder / "rootfs" / "bin" / "busybox")
    for name in ("sh", "cat", "echo"):
        (folder / "rootfs" / "bin" / name).symlink_to("busybox")
    (folder / "rootfs" / "etc" / "os-release").write_text("NAME='a system of our own'\n")
    subprocess.run(["runc", "spec", "--rootless"], cwd=folder, check=True, timeout=30)
    spec = json.loads((folder / "config.json").read_text())
    for kind in ("uid", "gid"):
        spec["linux"][f"{kind}Mappings"][0]["hostID"] = int(slurm(grid, "id", f"-{kind[0]}", grid.info.ssh_user))
    (folder / "config.json").write_text(json.dumps(spec))
    return folder


@pytest.mark.needs("nothing that runs containers")
def test_container_on_a_cluster_that_runs_none(grid: Grid, tmp_path: Path) -> None:
    """A bundle where Slurm is too old for `--container` and nobody has Apptainer: exit 10, why, and what helps."""
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "config.json").write_text("{}")
    path = write_job(tmp_path, job="bundle", execution=["true"], container=".")
    done = grid.client("-u", str(path), *grid.job_settings(), folder=tmp_path)
    assert done.returncode == 10, done.stderr
    assert "this cluster has neither Slurm's --container nor Apptainer" in done.stderr
    assert "Choose another cluster" in done.stderr


def test_container_that_is_not_there(grid: Grid, tmp_path: Path) -> None:
    """A container that does not exist is told before anything is queued; exit 9."""
    path = write_job(tmp_path, execution=["true"], container="/nowhere/bundle")
    done = grid.client("-u", str(path), *grid.job_settings(), folder=tmp_path)
    assert (done.returncode, "there is no container" in done.stderr) == (9, True)


def test_modules_that_fail(grid: Grid, tmp_path: Path) -> None:
    """Failed staging ends a call without a terminal; preprocessing ends the job; postprocessing keeps results."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "broken.sh").write_text("echo it is broken >&2\nexit 4\n")

    def run(stage: str, *options: str) -> tuple[int, str, str]:
        step = {"module": "broken.sh", "execution": "sh broken.sh"}
        (tmp_path / "modules.yml").write_text(json.dumps({stage: {1: step}}))
        path = write_job(tmp_path, execution=["echo 1 > out.txt"], output=["out.txt"])
        modules = ["-m", str(tmp_path / "modules.yml")]
        done = grid.client("-u", str(path), *modules, *grid.job_settings(), "--fresh", *options, folder=tmp_path)
        return done.returncode, done.stdout, done.stderr

    code, _, said = run("staging", "--no-input")
    assert (code, "it is broken" in said) == (4, True)
    assert run("staging", "--yes")[0] == 0
    code, _, said = run("preprocessing")
    assert (code, "it is broken" in said) == (4, True)
    code, printed, said = run("postprocessing", "--wait", "--json")
    assert code == 0, said
    job_uuid = json.loads(printed)["job_uuid"]
    text = wait_until(lambda: _error_mail(grid, job_uuid), what="the mail about the module")
    assert "it is broken" in text
    assert (fetched(grid, job_uuid, tmp_path) / "out.txt").read_text() == "1\n"


def _error_mail(grid: Grid, job_uuid: str) -> str:
    texts: list[Any] = [mail.get_content() for mail in grid.mails(job_uuid)]
    return next((str(text) for text in texts if "broken.sh" in text), "")


def test_estimator_learns_from_past_jobs(grid: Grid, tmp_path: Path) -> None:
    """After a job that ended well, the estimator proposes time and memory for one of the same kind, and says so."""
    modules = {"staging": {1: {"module": "resource_estimator.py", "execution": "python3 resource_estimator.py"}}}
    (tmp_path / "modules.yml").write_text(json.dumps(modules))
    hungry = "python3 -c 'import time; held = bytearray(80_000_000); time.sleep(12)'"
    first = submit(grid, tmp_path, execution=[hungry])
    job = wait_for_state(grid, first, "DONE")
    assert int(job["job_status"]["MaxRSS"][0].rstrip("K")) > 80_000
    path = write_job(tmp_path, execution=[hungry], kwargs={"estimate": "replace"})
    modules_file = ["-m", str(tmp_path / "modules.yml")]
    done = grid.client("-u", str(path), *modules_file, *grid.job_settings(), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "from 1 past jobs (1 tasks): duration 300s, memory_per_thread" in done.stderr
