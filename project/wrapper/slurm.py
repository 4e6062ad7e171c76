"""Slurm itself, for what only Slurm is asked."""

from typing import Callable, List, TypeVar

from project.core.engine import Query
from project.core.slurm.commands import CommandResult
from project.core.slurm.engine import SlurmEngine
from project.core.slurm.partitions import Partition, ShowPartitions
from project.wrapper.scheduler import TIMEOUT_S, Scheduler

Answer = TypeVar("Answer")


class Slurm(Scheduler):
    """This cluster's Slurm.

    Args:
        timeout_s: how long a command may be silent.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__(SlurmEngine(), timeout_s)

    def partitions(self) -> List[Partition]:
        """Return the partitions and their limits."""
        command = ShowPartitions()
        return self.ask(command.argv(), command.parse)

    def ask(self, argv: List[str], parse: Callable[[CommandResult], Answer]) -> Answer:
        """Run one more command of Slurm's and read its answer."""
        return self._ask(Query(argv, parse))
