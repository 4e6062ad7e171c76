"""The whole way: a job file here, a real Slurm there, the registry and mail between, results back by UUID."""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.e2e.far_side import (
    UUID,
    fetched_or_none,
    is_there,
    job_folder,
    kill_logins,
    mailed_states,
    processes_of_logins,
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

pytestmark = pytest.mark.slurm
_ROOT = Path(__file__).resolve().parents[2]
_PRIMES_BELOW_3_MILLION = 216816


@pytest.fixture(scope="module")
def sample(grid: Grid, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The committed sample, submitted, waited for and fetched: its UUID and where its results are."""
    folder = tmp_path_factory.mktemp("sample")
    arguments = ["-u", str(_ROOT / "user_input_sample.yml"), "-m", str(_ROOT / "modules_sample.yml"), "--wait"]
    done = grid.client(*arguments, *grid.job_settings(), folder=folder)
    assert done.returncode == 0, done.stderr
    job_uuid = UUID.findall(done.stdout)[0]
    fetched = grid.client("-r", job_uuid, folder=folder)
    assert fetched.returncode == 0, fetched.stderr
    return job_uuid, folder / job_uuid


def test_sample_brings_its_results_back(sample: tuple[str, Path]) -> None:
    """The sample's array counts all primes, its postprocessing module sums and plots them, all of it comes back."""
    _, results = sample
    summary = json.loads((results / "summary.json").read_text())
    assert (summary["tasks"], summary["sum"]) == (15, _PRIMES_BELOW_3_MILLION)
    assert (results / "summary.svg").read_text().count("<rect") == 15
    assert len(list(results.glob("primes_*.txt"))) == 15
    assert "Array task 7 of job" in next(results.glob("slurm-*_7.out")).read_text()


def test_array_gives_exactly_three_mails_in_time(grid: Grid, sample: tuple[str, Path]) -> None:
    """An array of 15 gives one mail each for PENDING, RUNNING and COMPLETED, within 60 s of the change."""
    job_uuid, _ = sample
    wait_for_mail(grid, job_uuid, "COMPLETED")
    assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]
    for mail in grid.mails(job_uuid):
        text = str(mail.get_content())
        since = next(line for line in text.splitlines() if line.strip().startswith("since")).split("since")[1].strip()
        changed = datetime.strptime(since, "%Y-%m-%d %H:%M:%S %Z").replace(
            tzinfo=parsedate_to_datetime(mail["Date"]).tzinfo
        )
        assert 0 <= (parsedate_to_datetime(mail["Date"]) - changed).total_seconds() <= 60


def test_registry_knows_all_about_the_sample(grid: Grid, sample: tuple[str, Path]) -> None:
    """The registry has every task's columns of sacct, the modules' results, the paths, and no secret."""
    job_uuid, _ = sample
    job = registry_job(grid, job_uuid)
    assert job["job_status"]["State"] == ["COMPLETED"] * 15
    assert job["job_status"]["ExitCode"] == ["0:0"] * 15
    assert [module["stage"] for module in job["modules"]] == ["staging", "staging", "preprocessing", "postprocessing"]
    assert job["working_directory"].startswith(job["job_directory"])
    assert str(grid.info.ssh_key) not in json.dumps(job)
    states = [event["body"]["state"] for event in job["timeline"] if event["kind"] == "state"]
    expected = [
        "UPLOADED",
        "PREPROCESSING",
        "COMPILING",
        "SUBMITTED",
        "PENDING",
        "RUNNING",
        "COMPLETED",
        "POSTPROCESSING",
    ]
    assert states == ["CREATED", *expected, "DONE"]


def test_cluster_status_reaches_the_registry(grid: Grid, sample: tuple[str, Path]) -> None:
    """The follower's sinfo puts the four nodes and all their CPUs into the registry."""
    del sample
    status = next(cluster for cluster in _clusters(grid) if cluster["name"] == grid.info.name)["status"]
    assert status["cluster"]["nodes"] == 4
    cpus = slurm(grid, "sinfo", "--noheader", "--partition=batch", "--format=%C")
    assert status["cluster"]["cpus"]["total"] == int(cpus.split("/")[-1])
    assert {partition for node in status["nodes"] for partition in node["partitions"]} == {"batch", "debug"}


def _clusters(grid: Grid) -> list[dict[str, Any]]:
    url = f"{grid.registry_url}/clusters"
    return list(requests.get(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10).json())


def test_failure_is_mailed_with_the_tail_of_stderr(grid: Grid, tmp_path: Path) -> None:
    """A job that exits 3 ends as FAILED; the mail shows exit code and end of standard error; --wait exits 13."""
    path = write_job(tmp_path, execution=["echo 'the matrix is singular' >&2", "exit 3"])
    done = grid.client("-u", str(path), *grid.job_settings(), "--wait", folder=tmp_path)
    assert done.returncode == 13, done.stderr
    job_uuid = UUID.findall(done.stdout)[0]
    text = str(wait_for_mail(grid, job_uuid, "FAILED").get_content())
    assert "the matrix is singular" in text
    assert "3:0" in text
    assert f"-r {job_uuid}" in text


def test_refusal_by_slurm_is_told_and_nothing_is_queued(grid: Grid, tmp_path: Path) -> None:
    """A partition that does not exist: exit code 10 with Slurm's own words, a mail, no job in Slurm, state ERROR."""
    path = write_job(tmp_path, execution=["true"], resources={"partition": "nowhere"})
    done = grid.client("-u", str(path), *grid.job_settings(), folder=tmp_path)
    assert done.returncode == 10
    assert "invalid partition" in done.stderr.lower()
    assert "Traceback" not in done.stderr
    job_uuid = next(iter(_uuids_of_records(grid, path)))
    assert "nvalid partition" in str(wait_for_mail(grid, job_uuid, "ERROR").get_content())
    assert registry_job(grid, job_uuid)["state"] == "ERROR"
    assert slurm(grid, "squeue", "--noheader", f"--name={job_uuid}", "--states=all") == ""


def _uuids_of_records(grid: Grid, path: Path) -> list[str]:
    records = [json.loads(file.read_text()) for file in (grid.home / "jobs").glob("*.json")]
    return [record["job_uuid"] for record in records if record["source"] == str(path)]


def test_follower_survives_the_end_of_its_login(grid: Grid, tmp_path: Path) -> None:
    """After the connection is closed no process carries the login's environment, and the final mail still comes."""
    job_uuid = submit(grid, tmp_path, execution=["sleep 3", "echo done"])
    environments = processes_of_logins(grid)
    assert environments
    assert not any("SSH_" in environment for environment in environments.values())
    wait_for_mail(grid, job_uuid, "COMPLETED", limit_s=63)


def test_final_mail_though_every_process_of_the_login_is_killed(grid: Grid, tmp_path: Path) -> None:
    """Where the login node ends everything (follow: slurm), the mail still comes within 60 s of the job's end."""
    grid.register(grid.info, follow="slurm")
    try:
        job_uuid = submit(grid, tmp_path, execution=["sleep 5", "echo done"])
        assert kill_logins(grid) > 0
        assert processes_of_logins(grid) == {}
        wait_for_mail(grid, job_uuid, "COMPLETED", limit_s=65)
        assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]
        wait_for_state(grid, job_uuid, "DONE")
    finally:
        grid.register(grid.info)


def test_everything_arrives_though_the_registry_was_away(grid: Grid, tmp_path: Path) -> None:
    """The registry is stopped while the job runs, started after its end: all changes and mails arrive, in order."""
    job_uuid = submit(grid, tmp_path, execution=["sleep 2"])
    assert grid.registry is not None
    grid.registry.stop()
    wait_until(lambda: "COMPLETED" in slurm(grid, "sacct", "-Xn", "--format=State", f"--name={job_uuid}"))
    assert registry_job_or_none(grid, job_uuid) is None
    grid.start_registry()
    wait_for_mail(grid, job_uuid, "COMPLETED", limit_s=90)
    wait_for_state(grid, job_uuid, "DONE")
    assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]


def registry_job_or_none(grid: Grid, job_uuid: str) -> dict[str, object] | None:
    """Return the job, None while the registry does not answer."""
    try:
        return registry_job(grid, job_uuid)
    except requests.ConnectionError:
        return None


def test_cluster_without_a_way_to_the_registry_is_relayed(grid: Grid, tmp_path: Path) -> None:
    """Where the cluster cannot reach the registry at all, -r brings its reports along, says so, and mails come."""
    grid.register(grid.info, registry_url="http://127.0.0.1:9")
    try:
        job_uuid = submit(grid, tmp_path, execution=["echo 1 > out.txt"], output=["out.txt"])
        end = job_folder(grid, job_uuid) / "control" / "marks" / "end.job"
        wait_until(lambda: is_there(grid, end), what="the mark of the job's end")
        assert registry_job(grid, job_uuid)["state"] == "CREATED"
        done = wait_until(lambda: fetched_or_none(grid, job_uuid, tmp_path), what="the results")
        assert "relayed" in done.stderr
        assert (tmp_path / job_uuid / "out.txt").read_text() == "1\n"
        wait_for_mail(grid, job_uuid, "COMPLETED")
        assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]
    finally:
        grid.register(grid.info)
