"""sinfo's view of a cluster, as the status the registry keeps."""

from typing import Any, Dict, List, NamedTuple

from project.core.errors import SchedulerUnavailable
from project.core.slurm.commands import CommandResult

_FORMAT = "%N|%P|%T|%C|%O|%m|%e|%G|%E"
_COLUMNS = ("name", "partition", "state", "cpus", "load", "memory_mib", "free_memory_mib", "gres", "reason")
_CPU_WORDS = ("allocated", "idle", "other", "total")


class Sinfo(NamedTuple):
    """Ask for every node of every partition."""

    def argv(self) -> List[str]:
        """Return the command line."""
        return ["sinfo", "--noheader", "--Node", f"--format={_FORMAT}"]

    def parse(self, result: CommandResult) -> List[Dict[str, Any]]:
        """Return one document per node, its partitions gathered.

        Raises:
            SchedulerUnavailable: sinfo failed.
        """
        if result.exit_code != 0:
            raise SchedulerUnavailable(f"sinfo does not answer: {result.tail}")
        nodes: Dict[str, Dict[str, Any]] = {}
        for line in result.stdout.splitlines():
            cells = dict(zip(_COLUMNS, (cell.strip() for cell in line.split("|", len(_COLUMNS) - 1))))
            if len(cells) == len(_COLUMNS):
                node = nodes.setdefault(cells["name"], _node(cells))
                node["partitions"].append(cells["partition"].rstrip("*"))
        return list(nodes.values())


def _node(cells: Dict[str, str]) -> Dict[str, Any]:
    return {
        "name": cells["name"],
        "partitions": [],
        "state": cells["state"].rstrip("*~#!%$@^-"),
        "responding": "*" not in cells["state"],
        "cpus": dict(zip(_CPU_WORDS, (_number(part) for part in cells["cpus"].split("/")))),
        "load": _number(cells["load"]),
        "memory_mib": _number(cells["memory_mib"]),
        "free_memory_mib": _number(cells["free_memory_mib"]),
        "gres": "" if cells["gres"] == "(null)" else cells["gres"],
        "reason": "" if cells["reason"] == "none" else cells["reason"],
    }


def _number(text: str) -> float:
    """Read a number; `N/A` and its like count as 0."""
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return 0


class JobCounts(NamedTuple):
    """Count the pending and running jobs of the whole cluster, arrays task by task."""

    def argv(self) -> List[str]:
        """Return the command line."""
        return ["squeue", "--noheader", "--array", "--states=PENDING,RUNNING", "--format=%t"]

    def parse(self, result: CommandResult) -> Dict[str, int]:
        """Return `pending_jobs` and `running_jobs`.

        Raises:
            SchedulerUnavailable: squeue failed.
        """
        if result.exit_code != 0:
            raise SchedulerUnavailable(f"squeue does not answer: {result.tail}")
        words = result.stdout.split()
        return {"pending_jobs": words.count("PD"), "running_jobs": words.count("R")}


def cluster_status(nodes: List[Dict[str, Any]], counts: Dict[str, int], taken_at: str) -> Dict[str, Any]:
    """Return the status document of docs/protocol.md."""
    totals = {word: sum(int(node["cpus"].get(word, 0)) for node in nodes) for word in _CPU_WORDS}
    return dict(counts, taken_at=taken_at, cluster={"nodes": len(nodes), "cpus": totals}, nodes=nodes)
