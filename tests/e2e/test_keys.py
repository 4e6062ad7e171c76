"""Keys of a job file that only a real Slurm, a real `module` and a real mailbox can show."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.e2e.far_side import (
    accounted,
    fetched,
    job_folder,
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
    from demo.grid import Grid

pytestmark = [pytest.mark.slurm, pytest.mark.needs("sandbox")]
_SMALL = {"duration": "10m", "memory_per_thread": "50M"}


def _runs(grid: Grid, job_uuid: str) -> list[str]:
    path = Path(job_folder(grid, job_uuid)) / "work" / "runs.txt"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("how", ["scontrol requeue", "node failure"])
def test_a_requeued_job_runs_again_and_counts_once(grid: Grid, tmp_path: Path, how: str) -> None:
    """With `requeue: true` Slurm runs a job again, under the same id; the registry has one job with one row."""
    lines = [
        "echo $SLURM_JOB_ID >> runs.txt",
        "trap 'touch ended; exit 1' TERM",
        "[ -e again ] || { sleep 100 & wait; }",
    ]
    job_uuid = submit(grid, tmp_path, execution=lines, resources={**_SMALL, "requeue": True})
    slurm_job_id = wait_for_state(grid, job_uuid, "RUNNING")["slurm_job_id"]
    wait_until(lambda: _runs(grid, job_uuid), what="its first run")
    work = Path(job_folder(grid, job_uuid)) / "work"
    (work / "again").touch()
    _interrupt(grid, slurm_job_id, how)
    wait_until((work / "ended").exists, what="the end of its first run")
    wait_until(lambda: not _has_step(slurm_job_id), what="Slurm's own end of its first run")
    wait_for_mail(grid, job_uuid, "RUNNING")
    wait_until(lambda: registry_job(grid, job_uuid)["state"] == "PENDING", what="the news that it waits again")
    _start_again(grid, slurm_job_id)
    job = wait_for_state(grid, job_uuid, "DONE")
    assert (job["outcome"], job["job_status"]["State"]) == ("COMPLETED", ["COMPLETED"])
    assert job["slurm_job_id"] == slurm_job_id
    assert _runs(grid, job_uuid) == [slurm_job_id] * 2
    wait_for_mail(grid, job_uuid, "COMPLETED")
    told = [state for state in mailed_states(grid, job_uuid) if state not in ("NODE_FAIL", "REQUEUED")]
    assert told == ["PENDING", "RUNNING", "PENDING", "RUNNING", "COMPLETED"]


def _start_again(grid: Grid, slurm_job_id: str) -> None:
    """Spare a requeued job most of the two minutes that Slurm lets it wait.

    Not all of them: what slurmctld still has to hear of the first run would be taken for the second one's end.
    """
    waiting = ["squeue", "--noheader", f"--jobs={slurm_job_id}", "--states=PENDING", "--format=%r"]
    wait_until(lambda: slurm(grid, *waiting).strip() == "BeginTime", what="its wait for a second run")
    slurm(grid, "scontrol", "update", f"jobid={slurm_job_id}", "StartTime=now+4")


def _has_step(slurm_job_id: str) -> bool:
    """Whether a slurmstepd still looks after a job; what it tells last would be taken for the second run's end."""
    titles = [entry.read_bytes() for entry in Path("/proc").glob("[0-9]*/cmdline") if entry.exists()]
    return any(title.startswith(f"slurmstepd: [{slurm_job_id}.".encode()) for title in titles)


def _interrupt(grid: Grid, slurm_job_id: str, how: str) -> None:
    """Do that to a running job, and wait until its node has nothing left of it."""
    node = slurm(grid, "squeue", "--noheader", f"--jobs={slurm_job_id}", "--format=%N").strip()
    if how == "scontrol requeue":
        slurm(grid, "scontrol", "requeue", slurm_job_id)
    else:
        slurm(grid, "scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    wait_until(
        lambda: node in slurm(grid, "sinfo", "--noheader", "-N", "--format=%N", "--states=idle"), what="its node"
    )


def test_without_requeue_a_node_failure_is_the_end(grid: Grid, tmp_path: Path) -> None:
    """A job that does not allow it is not run again: it ends as NODE_FAIL, which is mailed."""
    job_uuid = submit(grid, tmp_path, execution=["sleep 100"], resources=_SMALL)
    _interrupt(grid, wait_for_state(grid, job_uuid, "RUNNING")["slurm_job_id"], "node failure")
    job = wait_for_state(grid, job_uuid, "DONE")
    assert (job["outcome"], job["job_status"]["State"]) == ("NODE_FAIL", ["NODE_FAIL"])
    wait_for_mail(grid, job_uuid, "NODE_FAIL")


def test_gpus_exclusive_nodes_and_constraints(grid: Grid, tmp_path: Path) -> None:
    """GPUs are given and seen by the job, an exclusive job has its node for itself, a feature picks the node."""
    slurm(grid, "scontrol", "update", "nodename=sandbox-3", "AvailableFeatures=skylake", "ActiveFeatures=skylake")
    resources = {**_SMALL, "gpus": 2, "exclusive": True, "constraint": "skylake"}
    printed = "echo $NODE_NAME $SLURM_JOB_GPUS > out.txt"
    job_uuid = submit(grid, tmp_path, execution=[printed], output=["out.txt"], resources=resources)
    assert (fetched(grid, job_uuid, tmp_path) / "out.txt").read_text() == "sandbox-3 0,1\n"
    ((ncpus, tres),) = (row.split("|") for row in accounted(grid, job_uuid, "NCPUS,AllocTRES"))
    assert (ncpus, "gres/gpu=2" in tres) == ("64", True)
    path = write_job(tmp_path, execution=["true"], resources={**_SMALL, "constraint": "nowhere"})
    done = grid.client("-u", str(path), *grid.job_settings(), folder=tmp_path)
    assert (done.returncode, "Invalid feature specification" in done.stderr) == (10, True)


@pytest.mark.skipif(shutil.which("modulecmd") is None, reason="needs environment-modules")
def test_environment_modules_are_loaded_everywhere(grid: Grid, tmp_path: Path) -> None:
    """A real `module load` comes before requirements, compilation and the job; one that fails ends it."""
    module = tmp_path / "greeting"
    module.write_text("#%Module1.0\nsetenv GREETING hello\n")
    seen = 'test "$GREETING" = hello'
    job_uuid = submit(
        grid,
        tmp_path,
        environment_modules=[str(module)],
        requirements=[seen],
        compilation=[seen],
        execution=[seen, 'echo "$GREETING" > out.txt'],
        output=["out.txt"],
    )
    assert (fetched(grid, job_uuid, tmp_path) / "out.txt").read_text() == "hello\n"
    job_uuid = submit(grid, tmp_path, environment_modules=["Nowhere/1.0"], execution=["true"])
    job = wait_for_state(grid, job_uuid, "DONE")
    assert (job["outcome"], job["job_status"]["ExitCode"]) == ("FAILED", ["1:0"])
    assert "Nowhere/1.0" in str(wait_for_mail(grid, job_uuid, "FAILED").get_content())


@pytest.mark.parametrize(
    ("notify", "told"),
    [
        (["ended"], ["FAILED"]),
        (["queued", "started"], ["PENDING", "RUNNING"]),
        ("none", []),
    ],
)
def test_only_what_was_asked_for_is_mailed(grid: Grid, tmp_path: Path, notify: Any, told: list[str]) -> None:
    """`notify` chooses among queued, started, ended and errors."""
    job_uuid = submit(grid, tmp_path, execution=["false"], notify=notify)
    wait_for_state(grid, job_uuid, "DONE")
    everything = submit(grid, tmp_path, execution=["false"])
    wait_for_mail(grid, everything, "FAILED")  # mails leave in the order of their changes
    assert mailed_states(grid, job_uuid) == told


def test_a_label_is_shown_and_slurms_name_stays_the_uuid(grid: Grid, tmp_path: Path) -> None:
    """`job_name` is what mails and the registry's list say; Slurm knows the job by its UUID alone."""
    job_uuid = submit(grid, tmp_path, execution=["true"], job_name="Zoë's first try")
    wait_for_state(grid, job_uuid, "DONE")
    mail = wait_for_mail(grid, job_uuid, "COMPLETED")
    assert "Zoë's first try" in str(mail["Subject"]) + str(mail.get_content())
    assert registry_job(grid, job_uuid)["job_name"] == "Zoë's first try"
    assert accounted(grid, job_uuid, "JobName") == [job_uuid]


def _old_pythons() -> list[str]:
    """Return every interpreter here that is too old for the client and good enough for the far side."""
    versions = ("3.6", "3.7", "3.8", "3.9")
    found = [path for version in versions for path in Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")]
    named = [shutil.which(f"python{version}") for version in versions]
    return sorted({_told_by(str(path)) for path in (*found, *named) if path} - {""})


def _told_by(python: str) -> str:
    """Return what an interpreter calls itself, "" if it does not work."""
    code = [python, "-I", "-S", "-c", "import ssl, sys; print(sys.executable)"]
    return subprocess.run(code, capture_output=True, text=True, check=False, timeout=30).stdout.strip()


@pytest.mark.parametrize("python", _old_pythons() or [None])
def test_the_far_side_runs_on_an_old_python(grid: Grid, tmp_path: Path, python: str | None) -> None:
    """The whole way on the oldest Pythons that clusters have: modules, array, end, results."""
    if python is None:
        pytest.skip("no Python older than 3.10 here")
    root = Path(grid.info.cluster_document()["job_root"]) / Path(python).parts[-3]
    root.mkdir(exist_ok=True)
    grid.register(grid.info, name="old", python=python, job_root=str(root))
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "run.sh").write_text("echo $SLURM_ARRAY_TASK_ID > out_$SLURM_ARRAY_TASK_ID.txt\n")
    step = {"module": "minimal.py", "execution": "python3 minimal.py"}
    (tmp_path / "modules.yml").write_text(json.dumps({"preprocessing": {1: step}, "postprocessing": {1: step}}))
    job_uuid = submit(
        grid,
        tmp_path,
        "-m",
        str(tmp_path / "modules.yml"),
        settings={"destination_cluster": "old"},
        job="source",
        requirements=["true"],
        compilation=["true"],
        execution=["sh run.sh"],
        output=["out_*.txt"],
        resources={**_SMALL, "nbr_jobs_in_array": 3},
    )
    results = fetched(grid, job_uuid, tmp_path)
    assert sorted(path.name for path in results.glob("out_*.txt")) == ["out_1.txt", "out_2.txt", "out_3.txt"]
    assert [module["stage"] for module in registry_job(grid, job_uuid)["modules"]] == [
        "preprocessing",
        "postprocessing",
    ]
    assert (root / "gridferry" / "control" / "python").read_text() == python
    url = f"http://127.0.0.1:{grid.registry_port}/clusters/old"
    assert requests.delete(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10).status_code == 204
