"""A cluster that enforces accounts, qualities of service and limits, preempts, and soon forgets jobs that ended."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from project.sandbox import api as sandbox
from tests.e2e import login_processes
from tests.e2e.far_side import (
    fetched,
    mailed_states,
    registry_job,
    slurm_of,
    submit,
    wait_for_mail,
    wait_for_state,
    wait_until,
    write_job,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.grid import Grid
    from project.sandbox.describe import SandboxInfo

pytestmark = [pytest.mark.slurm, pytest.mark.needs("sandbox")]
_OPTIONS = sandbox.SandboxOptions(
    name="strict",
    nodes=2,
    cpus=4,
    memory_mib=4096,
    slurm_lines=(
        "AccountingStorageEnforce=associations,limits,qos",
        "MinJobAge=2",
        "PreemptType=preempt/partition_prio",
        "PreemptMode=CANCEL",
        "PartitionName=low Nodes=ALL MaxTime=60 PriorityTier=1",
        "PartitionName=high Nodes=ALL MaxTime=60 PriorityTier=9",
    ),
)
_SMALL = {"duration": "5m", "memory_per_thread": "50M"}
_ALL_CPUS = {**_SMALL, "nbr_processes": 4}


@pytest.fixture(scope="module")
def strict(grid: Grid) -> Iterator[SandboxInfo]:
    """The cluster: its user may charge `physics` and use the QOS `short` (10 minutes), but not `locked`.

    One of its two nodes is reserved.
    """
    folder = Path(tempfile.mkdtemp(prefix="gf-", dir="/tmp"))
    user = getpass.getuser()
    try:
        info = sandbox.up(folder, options=_OPTIONS)
        for words in (
            ("add", "account", "physics"),
            ("add", "user", user, "account=physics"),
            ("add", "qos", "short", "MaxWall=10"),
            ("add", "qos", "locked"),
            ("modify", "user", user, "set", "qos+=short"),
        ):
            slurm_of(info, "sacctmgr", "-i", *words)
        course = ("reservationname=course", f"users={user}", "nodes=strict-2", "starttime=now", "duration=120")
        slurm_of(info, "scontrol", "create", "reservation", *course)
        grid.register(info, follow="daemon")
        keys = {"clusters": {"strict": {"private_key": str(info.ssh_key)}}}
        (grid.folder / "settings.yml").write_text(json.dumps(keys))
        yield info
    finally:
        (grid.folder / "settings.yml").unlink(missing_ok=True)
        sandbox.down(folder)
        shutil.rmtree(folder, ignore_errors=True)
        url = f"{grid.registry_url}/clusters/strict"
        requests.delete(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10)


def _submit(grid: Grid, folder: Path, **keys: Any) -> str:
    return submit(grid, folder, settings={"destination_cluster": "strict"}, **keys)


def test_account_qos_and_reservation_are_used(grid: Grid, strict: SandboxInfo, tmp_path: Path) -> None:
    """What the accounting has of the job is what the job file asked for."""
    resources = {**_SMALL, "account": "physics", "qos": "short", "reservation": "course"}
    job_uuid = _submit(grid, tmp_path, execution=["true"], resources=resources)
    slurm_job_id = wait_for_state(grid, job_uuid, "DONE")["slurm_job_id"]
    columns = "--format=Account,QOS,Reservation,State"

    def told() -> bool:
        rows = slurm_of(strict, "sacct", "-Xn", "-P", columns, f"--jobs={slurm_job_id}")
        return rows.strip() == "physics|short|course|COMPLETED"

    wait_until(told, what="all of it in the accounting")


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"account": "chemistry"}, "Invalid account"),
        ({"qos": "locked"}, "Invalid qos"),
        ({"qos": "nowhere"}, "Invalid qos"),
        ({"reservation": "lecture"}, "reservation is invalid"),
    ],
)
def test_what_may_not_be_used_is_refused(grid: Grid, tmp_path: Path, wrong: dict[str, str], said: str) -> None:
    """Exit 10 with Slurm's own words and the key to correct; nothing is in the queue."""
    path = write_job(tmp_path, execution=["true"], resources={**_SMALL, **wrong})
    settings = grid.job_settings(destination_cluster="strict")
    done = grid.client("-u", str(path), *settings, "--fresh", folder=tmp_path)
    assert done.returncode == 10, done.stderr
    assert said in done.stderr
    assert f"Correct resources.{next(iter(wrong))}" in done.stderr


def test_a_limit_that_is_never_lifted_is_told(grid: Grid, strict: SandboxInfo, tmp_path: Path) -> None:
    """More time than the QOS gives: Slurm takes the job and lets it wait for ever; a mail says so."""
    resources = {**_SMALL, "qos": "short", "duration": "20m"}
    job_uuid = _submit(grid, tmp_path, execution=["true"], resources=resources)

    def told() -> bool:
        """The mail about PENDING has the reason, too, but not what helps."""
        texts = [str(mail.get_content()) for mail in grid.mails(job_uuid)]
        return any("QOSMaxWallDurationPerJobLimit" in text and "resources.duration" in text for text in texts)

    wait_until(told, 60, "the mail")
    slurm_of(strict, "scancel", registry_job(grid, job_uuid)["slurm_job_id"])
    assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "CANCELLED"


def test_preempted_and_past_its_deadline(grid: Grid, strict: SandboxInfo, tmp_path: Path) -> None:
    """A job that must make room ends as PREEMPTED, one that can no longer be in time as DEADLINE; both are mailed."""
    low = _submit(grid, tmp_path, execution=["sleep 300"], resources={**_ALL_CPUS, "partition": "low"})
    wait_for_state(grid, low, "RUNNING")
    high = _submit(grid, tmp_path, execution=["sleep 300"], resources={**_ALL_CPUS, "partition": "high"})
    assert wait_for_state(grid, low, "DONE")["outcome"] == "PREEMPTED"
    late = _submit(grid, tmp_path, execution=["true"], resources={**_ALL_CPUS, "partition": "high"})
    late_id = wait_for_state(grid, late, "PENDING")["slurm_job_id"]
    slurm_of(
        strict, "scontrol", "update", f"jobid={late_id}", "Deadline=now+302"
    )  # its five minutes, and two seconds
    assert wait_for_state(grid, late, "DONE")["outcome"] == "DEADLINE"
    slurm_of(strict, "scancel", registry_job(grid, high)["slurm_job_id"])
    assert wait_for_state(grid, high, "DONE")["outcome"] == "CANCELLED"
    for job_uuid, state in ((low, "PREEMPTED"), (late, "DEADLINE")):
        wait_for_mail(grid, job_uuid, state)
        assert mailed_states(grid, job_uuid)[-1] == state


def test_a_job_that_slurm_has_forgotten_is_found_in_the_accounting(
    grid: Grid, strict: SandboxInfo, tmp_path: Path
) -> None:
    """Nobody follows while it ends, and Slurm drops it from its memory (MinJobAge): fetching tells how it ended."""
    job_uuid = _submit(grid, tmp_path, execution=["sleep 3", "echo 1 > out.txt"], output=["out.txt"])
    slurm_job_id = wait_for_state(grid, job_uuid, "PENDING", "RUNNING")["slurm_job_id"]
    argv = [sys.executable, login_processes.__file__, str(strict.job_root), str(strict.ssh_port), "kill"]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, timeout=60)
    wait_until(lambda: not _remembers(strict, slurm_job_id), what="the end of Slurm's memory")
    assert registry_job(grid, job_uuid)["state"] in ("PENDING", "RUNNING")
    done = grid.client("-r", job_uuid, folder=tmp_path)
    assert done.returncode == 12, done.stderr
    assert (fetched(grid, job_uuid, tmp_path) / "out.txt").read_text() == "1\n"
    assert registry_job(grid, job_uuid)["outcome"] == "COMPLETED"


def _remembers(info: SandboxInfo, slurm_job_id: str) -> bool:
    environment = {**os.environ, "SLURM_CONF": str(info.slurm_conf)}
    argv = ["scontrol", "show", "job", slurm_job_id]
    return subprocess.run(argv, env=environment, capture_output=True, check=False, timeout=60).returncode == 0
