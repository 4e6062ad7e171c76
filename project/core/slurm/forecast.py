"""When Slurm would start a job: `sbatch --test-only`, and the limits of partitions, which that does not heed.

`--test-only` says "to start at" for a time limit above the partition's, though such a job would wait for ever, and it
tells starts by slurmctld's plan for the jobs before it (both measured on 22.05.8).
"""

import re
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from project.core.errors import SchedulerUnavailable
from project.core.job import Resources
from project.core.slurm.commands import CommandResult, clean_complaint, lines_or_unavailable
from project.core.slurm.directives import directives, placed
from project.core.slurm.refusals import is_refusal
from project.core.units import format_duration, parse_slurm_time_s

_PROMISE = re.compile(r"Job \d+ to start at (\S+) using \d+ processors on (?:nodes? )?(\S+)")


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


class Partitions(NamedTuple):
    """Ask for each partition and its limits."""

    def argv(self) -> List[str]:
        """Return the command line."""
        return ["sinfo", "--noheader", "--format=%R|%a|%l|%D|%P"]

    def parse(self, result: CommandResult) -> List[Dict[str, Any]]:
        """Return a document for each partition: `name`, `up`, `max_time_s` (None: no limit), `nodes`, `default`.

        Raises:
            SchedulerUnavailable: sinfo failed.
        """
        found: Dict[str, Dict[str, Any]] = {}
        for line in lines_or_unavailable(result, "sinfo"):
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) == len(("name", "up", "limit", "nodes", "marked")):
                name, up, limit, nodes, marked = cells
                document = found.setdefault(name, _partition(name, up, limit, default=marked.endswith("*")))
                document["nodes"] += int(nodes) if nodes.isdigit() else 0
        return list(found.values())


def _partition(name: str, up: str, limit: str, *, default: bool) -> Dict[str, Any]:
    return {"name": name, "up": up == "up", "max_time_s": parse_slurm_time_s(limit), "nodes": 0, "default": default}


def test_options(resources: Resources, partition: str) -> List[str]:
    """Return sbatch's options that ask for these resources on a cluster with this usual partition."""
    return directives(placed(resources, partition))


def never_starts(resources: Resources, partitions: Sequence[Dict[str, Any]]) -> str:
    """Return why a job would be taken and wait for ever in its partition, "" if nothing is known to be in its way."""
    partition = _wanted(resources.partition, partitions)
    if partition is None:
        return ""
    if not partition["up"]:
        return "partition {} starts no jobs now".format(partition["name"])
    limit: Optional[int] = partition["max_time_s"]
    if limit is not None and resources.time_limit_s is not None and resources.time_limit_s > limit:
        return "its time limit is above {} of partition {}".format(format_duration(limit), partition["name"])
    return ""


def _wanted(name: Optional[str], partitions: Sequence[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """Return the partition a job goes to; of several names Slurm takes the best, so nothing is known then."""
    wanted = [found for found in partitions if (found["default"] if name is None else found["name"] == name)]
    return wanted[0] if len(wanted) == 1 else None


def free_slots(resources: Resources, status: Dict[str, Any]) -> int:
    """Return how many processes of this size could start at once on what is idle, by a cluster's status document."""
    cpus = resources.cpus_per_task or 1
    mib = (resources.mem_per_cpu_mib or 0) * cpus
    return sum(_slots(node, cpus, mib) for node in status["nodes"] if _takes(node, resources.partition))


def _takes(node: Dict[str, Any], partition: Optional[str]) -> bool:
    in_partition = partition is None or partition in node["partitions"]
    return in_partition and node["state"] in ("idle", "mixed") and node.get("responding", True)


def _slots(node: Dict[str, Any], cpus: int, mib: int) -> int:
    free_mib = node["memory_mib"] - node.get("allocated_memory_mib", 0)
    by_cpus = int(node["cpus"]["idle"]) // cpus
    return min(by_cpus, int(free_mib // mib)) if mib else by_cpus
