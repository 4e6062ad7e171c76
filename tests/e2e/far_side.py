"""What tests look at on the cluster and in the registry, and how they wait."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage
    from pathlib import PurePath

    from demo.grid import Grid
    from project.sandbox.describe import SandboxInfo

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
END_LIMIT_S = 90.0


def wait_until(condition: Callable[[], Any], limit_s: float = END_LIMIT_S, what: str = "it") -> Any:
    """Return what `condition` gives once it is true; fail after the limit."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come within {limit_s} s")


def write_job(folder: Path, **keys: Any) -> Path:
    """Write a job file (JSON is YAML) with these keys; resources small enough for any sandbox."""
    document = {"username": "x", "user_mail": "x@example.org", "destination_cluster": "x", **keys}
    document.setdefault("resources", {"duration": "10m", "memory_per_thread": "100M"})
    path = folder / "job.yml"
    path.write_text(json.dumps(document))
    return path


def submit(grid: Grid, folder: Path, *options: str, settings: dict[str, str] | None = None, **keys: Any) -> str:
    """Submit a job; return its UUID."""
    path = write_job(folder, **keys)
    done = grid.client("-u", str(path), *grid.job_settings(**(settings or {})), "--fresh", *options, folder=folder)
    assert done.returncode == 0, done.stderr
    return str(UUID.findall(done.stdout)[0])


def registry_job(grid: Grid, job_uuid: str) -> dict[str, Any]:
    """Return the registry's document of a job."""
    url = f"{grid.registry_url}/jobs/{job_uuid}"
    response = requests.get(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10)
    return dict(response.json()) if response.ok else {}


def wait_for_state(grid: Grid, job_uuid: str, *states: str) -> dict[str, Any]:
    """Return the job once it is in one of these states; a failure tells the way it went instead."""
    try:
        return dict(wait_until(lambda: _in_state(grid, job_uuid, states), what=f"state {' or '.join(states)}"))
    except AssertionError as error:
        job = registry_job(grid, job_uuid)
        way = [f"{event['at']} {event['body'].get('state', event['kind'])}" for event in job.get("timeline", [])]
        raise AssertionError(f"{error}: {job.get('job_status')} {way}") from None


def _in_state(grid: Grid, job_uuid: str, states: tuple[str, ...]) -> dict[str, Any] | None:
    job = registry_job(grid, job_uuid)
    return job if job.get("state") in states else None


def mailed_states(grid: Grid, job_uuid: str) -> list[str]:
    """Return the state each mail about a job tells, in the order of arrival."""
    return [str(mail["Subject"]).split(":")[0] for mail in grid.mails(job_uuid)]


def wait_for_mail(grid: Grid, job_uuid: str, state: str, limit_s: float = END_LIMIT_S) -> EmailMessage:
    """Return the mail that tells a state."""

    def find() -> EmailMessage | None:
        return next((m for m in grid.mails(job_uuid) if str(m["Subject"]).startswith(f"{state}:")), None)

    mail: EmailMessage = wait_until(find, limit_s, what=f"the mail about {state}")
    return mail


def slurm(grid: Grid, *argv: str) -> str:
    """Run one of Slurm's commands on the cluster and return what it prints."""
    done = grid.site.run(argv)
    assert done.returncode == 0, done.stderr
    return done.stdout


def slurm_of(info: SandboxInfo, *argv: str) -> str:
    """Run one of Slurm's commands in a sandbox beside the grid's clusters and return what it prints."""
    environment = {**os.environ, "SLURM_CONF": str(info.slurm_conf)}
    return subprocess.run(argv, env=environment, text=True, capture_output=True, check=True, timeout=60).stdout


def accounted(grid: Grid, job_uuid: str, columns: str) -> list[str]:
    """Return sacct's lines of a job, columns parted by `|`, once it knows all of it: its name comes with the rest.

    That may be up to 5 s after its start, and so after its end.
    """
    slurm_job_id = registry_job(grid, job_uuid)["slurm_job_id"]

    def asked(format_: str) -> list[str]:
        return slurm(grid, "sacct", "-Xn", "-P", f"--format={format_}", f"--jobs={slurm_job_id}").split()

    wait_until(lambda: set(asked("JobName")) == {job_uuid}, what="all that the accounting tells of the job")
    return asked(columns)


def job_folder(grid: Grid, job_uuid: str) -> PurePath:
    """Return a job's folder on the cluster."""
    return grid.info.job_root / "gridferry" / "jobs" / job_uuid


def is_there(grid: Grid, path: PurePath) -> bool:
    """Whether the cluster has a file."""
    return grid.site.run(["test", "-e", str(path)]).returncode == 0


def content(grid: Grid, path: PurePath) -> str:
    """Return what a file on the cluster holds."""
    return slurm(grid, "cat", str(path))


def processes_of_logins(grid: Grid, *action: str) -> dict[int, str]:
    """Return the environment of every process that a login on the cluster started and left, by pid."""
    program = Path(__file__).with_name("login_processes.py").read_text()
    arguments = [str(grid.info.job_root), str(grid.site.sshd_port), *action]
    done = grid.site.run(["python3", "-c", program, *arguments], as_user=True)
    assert done.returncode == 0, done.stderr
    return {int(pid): environment for pid, environment in json.loads(done.stdout).items()}


def kill_logins(grid: Grid) -> int:
    """Kill -9 everything the logins on this cluster left behind, to its end; return how many processes that were."""
    killed = processes_of_logins(grid, "kill")
    wait_until(lambda: not set(killed) & set(processes_of_logins(grid)), what="their end")
    return len(killed)


#: Runs on the cluster with the wrapper that is there: exits 1 while a follower holds the lease in a folder.
_HOLDS = """\
import glob, sys
sys.path[:0] = glob.glob(sys.argv[1] + "/wrapper-*.zip")[:1] or sys.exit(0)
from project.wrapper.lease import Lease
sys.exit(Lease(sys.argv[2]).is_held())
"""


def end_followers(grid: Grid) -> None:
    """End the followers of earlier tests, whoever started them and wherever they run."""
    control = grid.info.job_root / "gridferry" / "control"
    slurm(grid, "scancel", "--name=gridferry-follower")
    kill_logins(grid)
    holds = ["python3", "-c", _HOLDS, str(control), str(control / "follower")]
    wait_until(lambda: grid.site.run(holds, as_user=True).returncode == 0, what="the end of the last follower")


def fetched_or_none(grid: Grid, job_uuid: str, folder: Path) -> subprocess.CompletedProcess[str] | None:
    """Fetch a job's results; None if that cannot be done yet."""
    done = grid.client("-r", job_uuid, folder=folder)
    return done if done.returncode == 0 else None


def fetched(grid: Grid, job_uuid: str, folder: Path) -> Path:
    """Wait for a job's end and fetch its results; return their folder."""
    wait_for_state(grid, job_uuid, "DONE")
    done = grid.client("-r", job_uuid, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder / job_uuid
