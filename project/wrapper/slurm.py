"""Runs Slurm's commands; what they are and say is core.slurm's business."""

import os
import pwd
from typing import Callable, Dict, List, Sequence, TypeVar

from project.core.messages import Document, format_utc
from project.core.slurm.commands import (
    ENVIRONMENT,
    AccountRow,
    CommandResult,
    QueueRow,
    Sacct,
    Sbatch,
    Scancel,
    Scontrol,
    ShowConfig,
    Squeue,
    UsedResources,
)
from project.core.slurm.limits import Limits, ShowAssociations, ShowQos, limits_of
from project.core.slurm.nodes import JobCounts, NodeUse, Sinfo, cluster_status
from project.wrapper.clock import parse_local_s
from project.wrapper.shell import run

Answer = TypeVar("Answer")

#: A command that is silent for so long is given up; slurmctld's own clients give up after MessageTimeout, 10 s.
TIMEOUT_S = 60.0


class Slurm:
    """This cluster's Slurm, as the current user sees it.

    Args:
        timeout_s: how long a command may be silent.

    Attributes:
        latency_s: how long the last query took.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self.latency_s = 0.0
        self._timeout_s = timeout_s
        self._user = pwd.getpwuid(os.getuid()).pw_name

    def _ask(self, argv: List[str], parse: Callable[[CommandResult], Answer]) -> Answer:
        try:
            result = run(argv, timeout_s=self._timeout_s, environment=ENVIRONMENT)
        except FileNotFoundError:
            result = CommandResult(127, "", f"{argv[0]}: command not found")
        self.latency_s = result.seconds
        return parse(result)

    def submit(self, script: str, *, held: bool = True) -> str:
        """Submit a job script; a held job waits for `release`. Raises as `Sbatch.parse` does."""
        command = Sbatch(script, held)
        return self._ask(command.argv(), command.parse)

    def release(self, slurm_job_id: str) -> None:
        """Let a held job run."""
        command = Scontrol("release", slurm_job_id)
        self._ask(command.argv(), command.parse)

    def cancel(self, *ids: str) -> None:
        """Cancel jobs or tasks of arrays (`123_[3-7]`)."""
        command = Scancel(ids)
        self._ask(command.argv(), command.parse)

    def queue(self, name: str = "") -> List[QueueRow]:
        """Return the user's rows of squeue, of all jobs or of those with this name."""
        command = Squeue(self._user, name)
        return self._ask(command.argv(), command.parse)

    def account(self, slurm_job_ids: Sequence[str]) -> List[AccountRow]:
        """Return sacct's rows of these jobs."""
        command = Sacct(slurm_job_ids=slurm_job_ids)
        return self._ask(command.argv(), command.parse)

    def account_by_name(self, name: str, since: str) -> List[AccountRow]:
        """Return sacct's rows of jobs with this name since then (local time, ISO)."""
        command = Sacct(name=name, since=since)
        return self._ask(command.argv(), command.parse)

    def used(self, slurm_job_ids: Sequence[str]) -> Dict[str, Dict[str, str]]:
        """Return what jobs and array tasks used (`MaxRSS`, `TotalCPU`), by JobID."""
        command = UsedResources(slurm_job_ids)
        return self._ask(command.argv(), command.parse)

    def config(self) -> Dict[str, str]:
        """Return Slurm's configuration."""
        command = ShowConfig()
        return self._ask(command.argv(), command.parse)

    def limits(self, account: str = "", qos: str = "") -> Limits:
        """Return how much Slurm takes of the user at a time, under this account and QOS or the usual ones."""
        show = ShowAssociations(self._user)
        known = [one for one in self._ask(show.argv(), show.parse) if account in ("", one.account)]
        found = [limit for association in known for limit in association.limits]
        for name in {qos} if qos else {association.qos for association in known}:
            found += self._ask(ShowQos(name).argv(), ShowQos(name).parse) if name else []
        return limits_of(self.config(), found)

    def status(self, now_utc: str) -> Document:
        """Return the cluster's status document."""
        sinfo, counts, use = Sinfo(), JobCounts(), NodeUse()
        nodes = self._ask(sinfo.argv(), sinfo.parse)
        for node in nodes:
            since_s = parse_local_s(node["since"])
            node["since"] = "" if since_s is None else format_utc(since_s)
        return cluster_status(
            nodes,
            self._ask(counts.argv(), counts.parse),
            now_utc,
            self._ask(use.argv(), use.parse),
        )
