"""A workload manager as small as can be, which is not Slurm: `tiny submit SCRIPT`, `start ID`, `kill ID`, `list`.

What it knows lies in a folder beside the program. A job waits until somebody starts it, and runs then and there.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_JOBS = Path(__file__).with_name("jobs")


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def submit(script: str) -> None:
    """Take a script, whose second line names the job."""
    _JOBS.mkdir(exist_ok=True)
    number = len(list(_JOBS.iterdir())) + 1
    name = Path(script).read_text().splitlines()[1].partition("name=")[2]
    _keep({"id": str(number), "name": name, "script": script, "state": "waiting", "code": 0, "submitted": _now()})
    sys.stdout.write(f"job {number}\n")


def start(number: str) -> None:
    """Run a job."""
    job = json.loads((_JOBS / number).read_text())
    job["started"] = _now()
    job["code"] = subprocess.run(["sh", job["script"], number], check=False).returncode
    _keep({**job, "state": "over", "ended": _now()})


def kill(number: str) -> None:
    """Forget a job that waits."""
    (_JOBS / number).unlink()


def show() -> None:
    """Tell all jobs."""
    for path in sorted(_JOBS.iterdir()) if _JOBS.exists() else []:
        sys.stdout.write(f"{path.read_text()}\n")


def _keep(job: dict[str, object]) -> None:
    (_JOBS / str(job["id"])).write_text(json.dumps(job))


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {"submit": submit, "start": start, "kill": kill, "list": show}
    commands[sys.argv[1]](*sys.argv[2:])
