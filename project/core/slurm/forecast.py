"""When Slurm would start a job: `sbatch --test-only`, and how many of its processes fit on what is idle.

Measured on 22.05.8: it counts the jobs that wait already; behind a job without a time limit it answers a year from
now, which is its way to say that it does not know; nodes that are drained make it refuse; a time limit above the
partition's does not, though such a job waits for ever (see partitions.py); each question takes a job id from the
counter, and nothing else.
"""

import re
from typing import Any, List, Mapping, NamedTuple, Optional, Sequence

from project.core.errors import SchedulerUnavailable
from project.core.job import Resources
from project.core.slurm.commands import CommandResult, clean_complaint
from project.core.slurm.directives import directives, placed
from project.core.slurm.refusals import is_refusal

#: A start that far away is none (half a day less than a year, for clocks and leap years).
_NOBODY_KNOWS_S = 364.5 * 86400

#: 26.05 says `to start at TIME a using 1 processors` (recorded).
_PROMISE = re.compile(r"Job \d+ to start at (\S+)(?: a)? using \d+ processors on (?:nodes? )?(\S+)")


class Forecast(NamedTuple):
    """What Slurm says of a job that was not submitted.

    Attributes:
        start: local time there (`2026-11-20T10:00:00`), "" where it refuses.
        nodes: the nodes it would get.
        refusal: Slurm's words, "" where it takes the job.
    """

    start: str = ""
    nodes: str = ""
    refusal: str = ""


class WouldStart(NamedTuple):
    """Ask when a job would start, without submitting it.

    Attributes:
        options: sbatch's, of the resources.
    """

    options: Sequence[str]

    def argv(self) -> List[str]:
        """Return the command line."""
        return ["sbatch", "--test-only", *self.options, "--output=/dev/null", "--wrap=true"]

    def parse(self, result: CommandResult) -> Forecast:
        """Return what Slurm says; it says so on standard error.

        Raises:
            SchedulerUnavailable: it neither promised nor refused.
        """
        promise = _PROMISE.search(result.stderr)
        if promise is not None and result.exit_code == 0:
            return Forecast(start=promise.group(1), nodes=promise.group(2))
        if result.exit_code not in (0, None) and is_refusal(result.stderr):
            return Forecast(refusal=clean_complaint(result.tail))
        raise SchedulerUnavailable(f"sbatch --test-only gave no clear answer: {result.tail}")


def from_now_s(start_s: Optional[float], now_s: float) -> Optional[float]:
    """Return how long it is until a forecast start, None if Slurm does not know it."""
    if start_s is None or start_s - now_s > _NOBODY_KNOWS_S:
        return None
    return max(0.0, start_s - now_s)


def test_options(resources: Resources, partition: str) -> List[str]:
    """Return sbatch's options that ask for these resources on a cluster with this usual partition."""
    return directives(placed(resources, partition))


def free_slots(resources: Resources, nodes: Sequence[Mapping[str, Any]]) -> int:
    """Return how many processes of this size could start at once on what is idle, by a status document's nodes."""
    cpus = resources.cpus_per_task or 1
    mib = (resources.mem_per_cpu_mib or 0) * cpus
    return sum(_slots(node, cpus, mib) for node in nodes if _takes(node, resources.partition))


def _takes(node: Mapping[str, Any], partition: Optional[str]) -> bool:
    in_partition = partition is None or partition in (node.get("partitions") or ())
    return in_partition and node.get("state") in ("idle", "mixed") and bool(node.get("responding", True))


def _slots(node: Mapping[str, Any], cpus: int, mib: int) -> int:
    free_mib = (node.get("memory_mib") or 0) - (node.get("allocated_memory_mib") or 0)
    by_cpus = int((node.get("cpus") or {}).get("idle") or 0) // cpus
    return min(by_cpus, int(free_mib // mib)) if mib else by_cpus
