"""Runs the commands of this cluster's workload manager; what they are and say is its engine's business."""

import os
import pwd
from functools import partial
from typing import Any, Dict, List, Optional, Sequence, TypeVar, cast

from project.core.engine import Engine, Query
from project.core.engines import DEFAULT, ENGINES, require_engine
from project.core.layout import ClusterPaths
from project.core.messages import Document, format_utc
from project.core.slurm.commands import AccountRow, CommandResult, QueueRow
from project.core.slurm.limits import Limits
from project.wrapper import files
from project.wrapper.clock import parse_local_s
from project.wrapper.shell import run
from project.wrapper.together import together

Answer = TypeVar("Answer")

#: A command that is silent for so long is given up; slurmctld's own clients give up after MessageTimeout, 10 s.
TIMEOUT_S = 60.0


class Scheduler:
    """This cluster's workload manager, as the current user sees it.

    Args:
        engine: its words; Slurm's unless said.
        timeout_s: how long a command may be silent.

    Attributes:
        engine: the same.
        latency_s: how long the last query took.
    """

    def __init__(self, engine: Optional[Engine] = None, timeout_s: float = TIMEOUT_S) -> None:
        self.engine = engine or ENGINES[DEFAULT]
        self.latency_s = 0.0
        self._timeout_s = timeout_s
        self._user = pwd.getpwuid(os.getuid()).pw_name

    def _ask(self, query: "Query[Answer]") -> Answer:
        try:
            result = run(query.argv, timeout_s=self._timeout_s, environment=self.engine.environment)
        except FileNotFoundError:
            result = CommandResult(127, "", f"{query.argv[0]}: command not found")
        self.latency_s = result.seconds
        return query.parse(result)

    def _ask_together(self, queries: "Sequence[Query[Any]]") -> List[Any]:
        return together([partial(self._ask, query) for query in queries])

    def submit(self, script: str, *, held: bool = True) -> str:
        """Submit a job script; a held job waits for `release`. Raises as `Sbatch.parse` does."""
        return self._ask(self.engine.submit(script, held=held))

    def release(self, slurm_job_id: str) -> None:
        """Let a held job run."""
        self._ask(self.engine.release(slurm_job_id))

    def cancel(self, *ids: str) -> None:
        """Cancel jobs or tasks of arrays (`123_[3-7]`)."""
        self._ask(self.engine.cancel(ids))

    def queue(self, name: str = "") -> List[QueueRow]:
        """Return the queue's rows of the user, of all jobs or of those with this name."""
        return self._ask(self.engine.queue(self._user, name))

    def account(self, slurm_job_ids: Sequence[str]) -> List[AccountRow]:
        """Return the accounting's rows of these jobs."""
        return self._ask(self.engine.account(slurm_job_ids))

    def account_by_name(self, name: str, since: str) -> List[AccountRow]:
        """Return the accounting's rows of jobs with this name since then (local time, ISO)."""
        return self._ask(self.engine.account_by_name(name, since))

    def used(self, slurm_job_ids: Sequence[str]) -> Dict[str, Dict[str, str]]:
        """Return what jobs and array tasks used (`MaxRSS`, `TotalCPU`), by id."""
        return self._ask(self.engine.used(slurm_job_ids))

    def config(self) -> Dict[str, str]:
        """Return the manager's configuration."""
        return self.engine.config(self._ask)

    def limits(self, account: str = "", qos: str = "") -> Limits:
        """Return how much it takes of the user at a time, under this account and QOS or the usual ones."""
        return self.engine.limits(self._ask_together, self._user, account, qos)

    def status(self, now_utc: str) -> Optional[Document]:
        """Return the cluster's status document, None where there is none."""
        status = self.engine.status(self._ask, now_utc)
        for node in cast("List[Dict[str, Any]]", (status or {}).get("nodes", [])):
            since_s = parse_local_s(node["since"])
            node["since"] = "" if since_s is None else format_utc(since_s)
        return status


def own_scheduler(paths: ClusterPaths) -> Scheduler:
    """Return the workload manager of this cluster, which the client has named when it came.

    Raises:
        UsageError: it is none that we know.
    """
    name = (files.read_text(paths.engine) or DEFAULT).strip()
    return Scheduler(require_engine(name, "this cluster"))
