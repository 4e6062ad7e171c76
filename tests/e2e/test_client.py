"""The command line as a user meets it: bad input, dry runs, interruptions, questions, exit codes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from demo.grid import ACCOUNT
from tests.e2e.far_side import (
    UUID,
    content,
    fetched,
    is_there,
    job_folder,
    kill_logins,
    mailed_states,
    registry_job,
    slurm,
    submit,
    wait_for_mail,
    wait_for_state,
    wait_until,
    write_job,
)
from tests.repositories import make_repository

if TYPE_CHECKING:
    from demo.grid import Grid

pytestmark = pytest.mark.slurm
_ROOT = Path(__file__).resolve().parents[2]


def _jobs_in_slurm(grid: Grid, job_uuid: str) -> list[str]:
    """Return the ids of all Slurm jobs with this name, whether queued or in the accounting."""
    queued = slurm(grid, "squeue", "--noheader", "--states=all", f"--name={job_uuid}", "--format=%F").split()
    known = slurm(grid, "sacct", "-Xn", "--format=JobIDRaw", f"--name={job_uuid}").split()
    return sorted(set(queued + known))


def test_all_problems_at_once_and_nothing_done(grid: Grid, tmp_path: Path) -> None:
    """A bad job file and a bad modules file give every problem with file, line, key and remedy, exit 3, no record."""
    job, modules = tmp_path / "job.yml", tmp_path / "modules.yml"
    job.write_text(
        "usernam: ada\nexecution: srun ./job\nresources:\n  duration: ten minutes\n  memory_per_thred: 2G\n"
    )
    modules.write_text("stagin:\n  1:\n    module: a.py\n")
    before = len(list((grid.home / "jobs").glob("*")))
    done = grid.client("-u", str(job), "-m", str(modules), folder=tmp_path)
    assert done.returncode == 3
    for expected in (
        "job.yml:1: usernam: this key is not known. Did you mean `username`?",
        "job.yml:4: resources.duration: 'ten minutes' is not a duration",
        "job.yml:5: resources.memory_per_thred: this key is not known. Did you mean `resources.memory_per_thread`?",
        "destination_cluster: this key is missing",
        "modules.yml:1: stagin: this stage is not known. Did you mean `staging`?",
    ):
        assert expected in done.stderr
    assert len(list((grid.home / "jobs").glob("*"))) == before


def test_dry_run_needs_neither_cluster_nor_registry(tmp_path: Path) -> None:
    """--dry-run runs staging, prints the job script and sends nothing, with no registry to ask; no key stops it."""
    environment = {**os.environ, "GRIDFERRY_HOME": str(tmp_path), "GRIDFERRY_REGISTRY": "http://127.0.0.1:9"}
    environment["HOME"] = str(tmp_path)
    argv = [sys.executable, "-m", "project", "-u", "user_input_sample.yml", "-m", "modules_sample.yml", "--dry-run"]
    done = subprocess.run(argv, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "#SBATCH --array=1-15" in done.stdout
    assert "#SBATCH --time=1-02:30:00" in done.stdout
    assert "export OMP_NUM_THREADS=2" in done.stdout
    assert "core_hours.c" in done.stderr
    assert "private_key: ~/.ssh/id_ed25519 does not exist" in done.stderr


def test_results_are_refused_while_the_job_runs(grid: Grid, tmp_path: Path) -> None:
    """-r before the end: exit 12. After it, of a failed job too: what is there comes, what is not is named."""
    lines = ["until test -e go; do sleep 0.2; done", "echo 1 > there.txt", "echo no convergence >&2", "exit 3"]
    job_uuid = submit(grid, tmp_path, execution=lines, output=["there.txt", "absent.txt"])
    early = grid.client("-r", job_uuid, folder=tmp_path)
    assert early.returncode == 12
    assert not (tmp_path / job_uuid).exists()
    slurm(grid, "touch", str(job_folder(grid, job_uuid) / "work" / "go"))
    wait_for_state(grid, job_uuid, "DONE")
    nowhere = grid.client("-r", job_uuid, "--to", "/proc/results", folder=tmp_path)
    assert nowhere.returncode == 14
    assert "error: the folder /proc/results cannot be made" in nowhere.stderr
    late = grid.client("-r", job_uuid[:8], "--json", folder=tmp_path)
    assert late.returncode == 0, late.stderr
    result = json.loads(late.stdout)
    assert "there.txt" in result["files"]
    assert (result["outcome"], result["missing"]) == ("FAILED", ["absent.txt"])
    (errors,) = (tmp_path / job_uuid).glob("slurm-*.err")
    assert "no convergence" in errors.read_text()
    assert (tmp_path / job_uuid / "there.txt").read_text() == "1\n"


@pytest.mark.parametrize(("end", "code"), [("true", 0), ("exit 3", 13)])
def test_fetch_brings_the_results_at_the_end(grid: Grid, tmp_path: Path, end: str, code: int) -> None:
    """One command from the job file to the results, of a job that failed, too; the exit code tells how it went."""
    path = write_job(tmp_path, execution=["echo 1 > there.txt", end], output=["there.txt"])
    done = grid.client(
        "-u", str(path), *grid.job_settings(), "--fresh", "--fetch", "--to", "results", folder=tmp_path
    )
    assert done.returncode == code, done.stderr
    assert (tmp_path / "results" / "there.txt").read_text() == "1\n"


def test_compilation_that_fails_ends_the_job_with_a_mail(grid: Grid, tmp_path: Path) -> None:
    """A compilation command that fails: exit 9, its output shown, ERROR with mail, nothing in Slurm."""
    path = write_job(tmp_path, execution=["true"], compilation=["echo no rule to make target >&2; exit 2"])
    done = grid.client("-u", str(path), *grid.job_settings(), folder=tmp_path)
    assert done.returncode == 9
    assert "no rule to make target" in done.stderr
    job_uuid = _uuid_of(grid, path)
    wait_until(lambda: mailed_states(grid, job_uuid) == ["ERROR"])
    assert "no rule to make target" in str(grid.mails(job_uuid)[0].get_content())
    assert _jobs_in_slurm(grid, job_uuid) == []


def test_detached_submission_goes_on_alone(grid: Grid, tmp_path: Path) -> None:
    """--detach returns while the cluster still compiles; the job is queued and ends all the same.

    It has not broken off: the same file again is another job, which is told; --resume names the first Slurm job.
    """
    job_uuid = submit(grid, tmp_path, "--detach", execution=["true"], compilation=["sleep 3"])
    assert registry_job(grid, job_uuid)["state"] in ("CREATED", "UPLOADED", "COMPILING")
    assert not (grid.home / "jobs" / f"{job_uuid}.tar.gz").exists()
    again = grid.client("-u", str(tmp_path / "job.yml"), *grid.job_settings(), "--no-input", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert f"Submission {job_uuid} of this file" in again.stderr
    assert job_uuid not in again.stdout
    slurm_job_id = wait_for_state(grid, job_uuid, "DONE")["slurm_job_id"]
    resumed = grid.client("--resume", job_uuid, "--json", folder=tmp_path)
    assert json.loads(resumed.stdout)["slurm_job_id"] == slurm_job_id
    assert len(_jobs_in_slurm(grid, job_uuid)) == 1


def test_detached_submission_can_be_joined_again(grid: Grid, tmp_path: Path) -> None:
    """--resume of one that is still being prepared watches it into the queue; nothing is sent or run twice."""
    ticks = ["date +%s%N >> ticks", "sleep 4"]
    job_uuid = submit(grid, tmp_path, "--detach", execution=["true"], compilation=ticks)
    resumed = grid.client("--resume", job_uuid, "--json", folder=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["slurm_job_id"]
    assert len(content(grid, job_folder(grid, job_uuid) / "work" / "ticks").splitlines()) == 1
    assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "COMPLETED"


def test_a_refusal_is_told_again_to_whoever_resumes(grid: Grid, tmp_path: Path) -> None:
    """With Slurm's words, the remedy and the same exit code, whether it was told before or missed while detached."""
    path = write_job(tmp_path, execution=["true"], resources={"partition": "nowhere"})
    first = grid.client("-u", str(path), *grid.job_settings(), folder=tmp_path)
    told = _uuid_of(grid, path)
    missed = submit(grid, tmp_path, "--detach", execution=["true"], compilation=["sleep 1"],
                    resources={"partition": "nowhere"})  # fmt: skip
    wait_for_state(grid, missed, "ERROR")
    answers = [first, *(grid.client("--resume", job_uuid, folder=tmp_path) for job_uuid in (told, missed))]
    for answer in answers:
        assert answer.returncode == 10, answer.stderr
        assert "Slurm refused the job: Invalid partition name specified" in answer.stderr
        assert "Correct resources.partition" in answer.stderr
        assert ("can be submitted anew" in answer.stderr) == (answer is not first)


def test_detached_repository_is_brought_before_the_client_leaves(
    grid: Grid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--detach with a repository that the cluster cannot clone still brings it: the job needs nobody afterwards."""
    repository = make_repository(tmp_path / "code", {"run.sh": "echo ran > out.txt\n"})
    config = tmp_path / "gitconfig"
    config.write_text(f'[url "file://{repository}"]\n  insteadOf = https://only-here.invalid/x.git\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    job_uuid = submit(
        grid, tmp_path, "--detach", job="https://only-here.invalid/x.git", execution=["sh run.sh"], output=["out.txt"]
    )
    assert (fetched(grid, job_uuid, tmp_path) / "out.txt").read_text() == "ran\n"


@pytest.mark.parametrize("delay_s", [0.25, 0.5, 0.8, 1.2, 2.0])
def test_killed_client_resumes_without_a_second_job(grid: Grid, tmp_path: Path, delay_s: float) -> None:
    """The client is killed -9 at some moment; submitting the same file again goes on, and there is one Slurm job."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "input.txt").write_text("42\n")
    path = write_job(tmp_path, job="data", execution=["cat input.txt"], compilation=["sleep 1"])
    arguments = ["-u", str(path), *grid.job_settings()]
    process = _start(grid, tmp_path, *arguments)
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = grid.client(*arguments, "--yes", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    job_uuid = UUID.findall(again.stdout)[0]
    assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "COMPLETED"
    assert len(_jobs_in_slurm(grid, job_uuid)) == 1


def test_ctrl_c_names_the_submission_to_go_on_with(grid: Grid, tmp_path: Path) -> None:
    """Ctrl-C while the cluster is at work: exit 130 and the command that follows the job, which goes on and ends."""
    path = write_job(tmp_path, execution=["true"], compilation=["sleep 3"])
    process = _start(grid, tmp_path, "-u", str(path), *grid.job_settings(), "--fresh", stderr=subprocess.PIPE)
    job_uuid = wait_until(lambda: _compiling(grid, path), what="compilation")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"--resume {job_uuid}" in said
    assert "Traceback" not in said
    assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "COMPLETED"
    assert len(_jobs_in_slurm(grid, job_uuid)) == 1


def test_login_killed_while_compiling_is_resumed(grid: Grid, tmp_path: Path) -> None:
    """Everything on the login node is killed -9 during compilation; --resume takes the job on, once."""
    path = write_job(tmp_path, execution=["true"], compilation=["sleep 4"])
    process = _start(grid, tmp_path, "-u", str(path), *grid.job_settings())
    job_uuid = wait_until(lambda: _compiling(grid, path), what="compilation")
    kill_logins(grid)
    assert process.wait(60) in (5, 11)
    again = grid.client("--resume", job_uuid, folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "COMPLETED"
    assert len(_jobs_in_slurm(grid, job_uuid)) == 1


def test_killed_follower_is_revived_by_the_next_submission(grid: Grid, tmp_path: Path) -> None:
    """The follower is killed -9 while a job runs; the next submission starts one, and both jobs' mails come."""
    first = submit(grid, tmp_path, execution=["sleep 2"])
    kill_logins(grid)
    second = submit(grid, tmp_path, execution=["true"])
    for job_uuid in (first, second):
        wait_for_state(grid, job_uuid, "DONE")
        wait_for_mail(grid, job_uuid, "COMPLETED")
        assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]


def test_killed_follower_is_revived_by_the_next_call(grid: Grid, tmp_path: Path) -> None:
    """The follower is killed -9 while a job runs; asking for the results starts one, though there are none yet."""
    job_uuid = submit(grid, tmp_path, execution=["sleep 5"])
    kill_logins(grid)
    assert grid.client("-r", job_uuid, folder=tmp_path).returncode in (0, 12)
    wait_for_state(grid, job_uuid, "DONE")
    wait_for_mail(grid, job_uuid, "COMPLETED")
    assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]


def test_unknown_cluster_names_the_likely_one(grid: Grid, tmp_path: Path) -> None:
    """A misspelled cluster is told with the name that was probably meant; exit 2."""
    path = write_job(tmp_path, execution=["true"])
    settings = grid.job_settings(destination_cluster=grid.info.name[:-1] + "q")
    done = grid.client("-u", str(path), *settings, folder=tmp_path)
    assert done.returncode == 2
    assert f"Did you mean {grid.info.name}?" in done.stderr


def test_no_traceback_without_registry_or_token(grid: Grid, tmp_path: Path) -> None:
    """A registry that is not there and a token that is missing are told in a sentence; exit 8 and 2."""
    path = write_job(tmp_path, execution=["true"])
    base = {**os.environ, **grid.client_variables, "PYTHONPATH": str(_ROOT)}
    argv = [*grid.client_argv("-u", str(path)), *grid.job_settings()]
    away = _run(argv, {**base, "GRIDFERRY_REGISTRY": "http://127.0.0.1:9"}, tmp_path)
    assert (away.returncode, "does not answer" in away.stderr) == (8, True)
    no_token = _run(argv, {**base, "GRIDFERRY_HOME": str(tmp_path / "empty")}, tmp_path)
    assert (no_token.returncode, "no token" in no_token.stderr) == (2, True)
    assert "Traceback" not in away.stderr + no_token.stderr


def _run(argv: list[str], environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def _start(grid: Grid, folder: Path, *arguments: str, stderr: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    environment = {**os.environ, **grid.client_variables, "PYTHONPATH": str(_ROOT)}
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": stderr, "stdin": subprocess.DEVNULL}
    return subprocess.Popen(grid.client_argv(*arguments), cwd=folder, env=environment, text=True, **quiet)


def _uuid_of(grid: Grid, path: Path) -> str:
    """Return the UUID of the submission of this file, "" before there is one."""
    records = [json.loads(file.read_text()) for file in (grid.home / "jobs").glob("*.json")]
    return next((str(record["job_uuid"]) for record in records if record["source"] == str(path)), "")


def _compiling(grid: Grid, path: Path) -> str:
    """Return the UUID once that job's compilation has begun on the cluster."""
    job_uuid = _uuid_of(grid, path)
    return job_uuid if job_uuid and is_there(grid, job_folder(grid, job_uuid) / "compilation.log") else ""


@pytest.mark.needs("sandbox")
def test_the_account_of_a_grid_has_a_password_for_the_page(grid: Grid) -> None:
    """Whoever keeps the demo running can log in at the registry's page: the password lies in a private file."""
    assert grid.password_file.stat().st_mode & 0o077 == 0
    login = (ACCOUNT, grid.password_file.read_text().strip())
    assert requests.post(f"{grid.registry_url}/tokens", auth=login, timeout=10).status_code == 201


@pytest.mark.needs("sandbox")
def test_sandbox_command_registers_its_cluster(grid: Grid) -> None:
    """`sandbox up` on a running sandbox registers it and says how to use it; `status` shows its nodes."""
    up = grid.client("sandbox", "up", str(grid.sandbox.folder), "--json")
    assert up.returncode == 0, up.stderr
    document = json.loads(up.stdout)
    assert document["registered"] == f"registered with {grid.registry_url}"
    assert document["host_keys"] == list(grid.sandbox.host_keys)
    status = grid.client("sandbox", "status", str(grid.sandbox.folder))
    assert status.returncode == 0
    assert status.stdout.count("node sandbox-") == 4


def test_a_large_result_comes_whole(grid: Grid, tmp_path: Path) -> None:
    """Beside small ones; its hash is made there while it is on its way, and again it is not fetched."""
    lines = ["head -c 100M /dev/urandom > large", "sha256sum large > hash"]
    job_uuid = submit(grid, tmp_path, execution=lines, output=["large", "hash"])
    folder = fetched(grid, job_uuid, tmp_path)
    with (folder / "large").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == (folder / "hash").read_text().split()[0]
    before = (folder / "large").stat()
    again = grid.client("-r", job_uuid, folder=tmp_path)
    assert "were here already" in again.stderr
    after = (folder / "large").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
