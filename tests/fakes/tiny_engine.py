"""All that another workload manager takes: what would be `project/core/tiny/__init__.py`."""

import json
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from project.core.engine import Engine, Query
from project.core.job import JobSpec
from project.core.layout import JobPaths
from project.core.slurm.commands import AccountRow, CommandResult, QueueRow, lines_or_unavailable
from project.core.slurm.script import Placement

_SCRIPT = """\
#!/bin/sh
# name={name}
SLURM_JOB_ID=$1
exec > {out} 2> {err}
cd {workdir} || exit 1
"""


def _jobs(result: CommandResult) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_or_unavailable(result, "tiny list")]


def _done(result: CommandResult) -> None:
    lines_or_unavailable(result, "tiny")


def _state(job: dict[str, Any]) -> str:
    return "PENDING" if job["state"] == "waiting" else "FAILED" if job["code"] else "COMPLETED"


def _queued(job: dict[str, Any]) -> QueueRow:
    return QueueRow(job["id"], "N/A", _state(job), "None", "N/A", job["submitted"], job["name"])


def _accounted(job: dict[str, Any]) -> AccountRow:
    times = {"Submit": job["submitted"], "Start": job.get("started", "Unknown"), "End": job.get("ended", "Unknown")}
    ended = {"State": _state(job), "ExitCode": "{}:0".format(job["code"]), "NNodes": "1", "NodeList": "here"}
    return {"JobID": job["id"], "JobName": job["name"], "Elapsed": "00:00:00", "NCPUS": "1", **times, **ended}


class TinyEngine(Engine):
    """The manager of tests/fakes/tiny_program.py."""

    def script(self, spec: JobSpec, *, job_uuid: str, paths: JobPaths, workdir: str, placement: Placement) -> str:
        """Return a script that `sh` runs with the job's id."""
        del placement
        names = {"out": paths.directory + "/tiny.out", "err": paths.directory + "/tiny.err", "workdir": workdir}
        quoted = {name: shlex.quote(path) for name, path in names.items()}
        return _SCRIPT.format(name=job_uuid, **quoted) + "\n".join([*spec.execution, ""])

    def submit(self, script: str, *, held: bool) -> "Query[str]":
        """Submit; every job waits."""
        del held
        return Query(["tiny", "submit", script], lambda result: lines_or_unavailable(result, "tiny")[0].split()[1])

    def release(self, job_id: str) -> "Query[None]":
        """Start it."""
        return Query(["tiny", "start", job_id], _done)

    def queue(self, user: str, name: str) -> "Query[list[QueueRow]]":
        """List what waits."""
        del user
        return Query(
            ["tiny", "list"],
            lambda result: [
                _queued(job) for job in _jobs(result) if job["state"] == "waiting" and name in job["name"]
            ],
        )

    def account(self, job_ids: Sequence[str]) -> "Query[list[AccountRow]]":
        """List these jobs."""
        return self._rows(lambda job: job["id"] in job_ids)

    def account_by_name(self, name: str, since: str) -> "Query[list[AccountRow]]":
        """List the jobs of this name."""
        del since
        return self._rows(lambda job: job["name"] == name)

    def used(self, job_ids: Sequence[str]) -> "Query[dict[str, dict[str, str]]]":
        """Nothing is known."""
        del job_ids
        return Query(["tiny", "list"], lambda _: {})

    @staticmethod
    def _rows(wanted: Callable[[dict[str, Any]], bool]) -> "Query[list[AccountRow]]":
        return Query(["tiny", "list"], lambda result: [_accounted(job) for job in _jobs(result) if wanted(job)])
