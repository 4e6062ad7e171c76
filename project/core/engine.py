"""What Gridferry needs of a workload manager: the far side asks these questions, whichever one runs the cluster.

An engine speaks its own manager's words to it and Slurm's to us: rows are `QueueRow` and `AccountRow`, states and
array ids are those of `core.slurm`. What it leaves out, a cluster run by it cannot do.
"""

from typing import Any, Callable, Dict, Generic, List, Mapping, Optional, Sequence, TypeVar

from project.core.job import JobSpec
from project.core.layout import JobPaths
from project.core.messages import Document
from project.core.slurm.commands import AccountRow, CommandResult, QueueRow
from project.core.slurm.limits import Limits, limits_of
from project.core.slurm.script import Placement

Answer = TypeVar("Answer")


class Query(Generic[Answer]):
    """A command, and how its answer is read.

    Args:
        argv: its command line.
        parse: reads what it did; raises as the errors of `core.slurm.commands` do.
    """

    def __init__(self, argv: List[str], parse: Callable[[CommandResult], Answer]) -> None:
        self.argv = argv
        self.parse = parse


#: Runs a query and returns its answer.
Ask = Callable[["Query[Any]"], Any]
#: Runs several at the same time and returns their answers in order.
AskTogether = Callable[[Sequence["Query[Any]"]], List[Any]]


class Engine:
    """One workload manager.

    Attributes:
        environment: variables that its commands run with.
    """

    environment: Mapping[str, str] = {}

    def script(self, spec: JobSpec, *, job_uuid: str, paths: JobPaths, workdir: str, placement: Placement) -> str:
        """Return the job script; its name in the queue is the UUID (arguments as of `core.slurm.script.render`)."""
        raise NotImplementedError

    def watcher(self, spec: JobSpec, *, job_id: str, log: str, partition: str, command: Sequence[str]) -> str:
        """Return the script of a tiny job that runs `command` when another has ended, however it ended."""
        raise NotImplementedError

    def submit(self, script: str, *, held: bool) -> "Query[str]":
        """Submit a job script; a held job waits for `release`. The answer is its id."""
        raise NotImplementedError

    def release(self, job_id: str) -> "Query[None]":
        """Let a held job run."""
        raise NotImplementedError

    def cancel(self, ids: Sequence[str]) -> "Query[None]":
        """Cancel jobs, or tasks of arrays."""
        raise NotImplementedError

    def queue(self, user: str, name: str) -> "Query[List[QueueRow]]":
        """List the user's jobs that have not ended, all or those of this name; ended ones may be among them."""
        raise NotImplementedError

    def account(self, job_ids: Sequence[str]) -> "Query[List[AccountRow]]":
        """List how these jobs stand or ended, a row for each array task."""
        raise NotImplementedError

    def account_by_name(self, name: str, since: str) -> "Query[List[AccountRow]]":
        """The same for jobs of this name since then (local time, ISO)."""
        raise NotImplementedError

    def used(self, job_ids: Sequence[str]) -> "Query[Dict[str, Dict[str, str]]]":
        """Tell what jobs and array tasks have used (`MaxRSS`, `TotalCPU`), by id; asked after their end."""
        raise NotImplementedError

    def config(self, ask: Ask) -> Dict[str, str]:
        """Return how it is configured, as far as anybody wants to know."""
        del ask
        return {}

    def limits(self, ask: AskTogether, user: str, account: str, qos: str) -> Limits:
        """Return how much it takes of the user at a time; campaigns are split accordingly."""
        del ask, user, account, qos
        return limits_of({}, [])

    def status(self, ask: Ask, now_utc: str) -> Optional[Document]:
        """Return the cluster's status document, `since` of its nodes in local time; None if it tells none."""
        del ask, now_utc
        return None
