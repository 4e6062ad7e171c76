"""What this cluster would do with a job: when it would start it, what is free, what waits, what is allowed."""

import contextlib
from typing import TYPE_CHECKING, Any, Dict, List, Sequence

from project.core.errors import SchedulerUnavailable
from project.core.slurm.forecast import Forecast, WouldStart, from_now_s
from project.wrapper.clock import Clock, parse_local_s
from project.wrapper.slurm import Slurm

if TYPE_CHECKING:
    from project.core.slurm.partitions import Partition

#: An answer that takes longer than this is no help to somebody who waits at a terminal.
TIMEOUT_S = 15.0


class Oracle(Slurm):
    """Slurm, asked about jobs that are not there."""

    def forecast(self, options: Sequence[str]) -> Forecast:
        """Return when a job with these options of sbatch would start, or why it would not."""
        command = WouldStart(options)
        return self.ask(command.argv(), command.parse)


def foretell(options: Sequence[str], oracle: Oracle, clock: Clock) -> Dict[str, Any]:
    """Return the `forecast` event's fields for a job with these options of sbatch.

    `starts_in_s` counts from now by this cluster's own clock, so that clocks that differ do not matter; `status` is
    the cluster's status document.

    Raises:
        SchedulerUnavailable: Slurm does not answer.
    """
    found = oracle.forecast(options)
    start_s = parse_local_s(found.start)
    partitions: List[Partition] = []
    with contextlib.suppress(SchedulerUnavailable):  # then no limit is known, which forbids nothing
        partitions = oracle.partitions()
    return {
        "starts_in_s": from_now_s(start_s, clock.now_s()),
        "nodes": found.nodes,
        "refusal": found.refusal,
        "partitions": [partition._asdict() for partition in partitions],
        "status": oracle.status(clock.now_utc()),
    }
