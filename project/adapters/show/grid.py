"""Clusters and nodes as tables, with bars of what is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from project.adapters.show import words
from project.adapters.show.table import Column
from project.core.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_MIB = 1024 * 1024
#: Of a node that takes work or does some; all else is worth a look (sinfo(1), "NODE STATE CODES").
_WELL = frozenset(("idle", "mixed", "allocated", "completing", "planned", "reserved"))


class Use(NamedTuple):
    """How much of something there is and is used."""

    used: float = 0
    total: float = 0

    def __add__(self, other: object) -> Use:
        """Return both together."""
        return Use(self.used + other.used, self.total + other.total) if isinstance(other, Use) else NotImplemented


def cpus(node: Mapping[str, Any]) -> Use:
    """Return the CPUs of a node."""
    counted = node.get("cpus") or {}
    return Use(float(counted.get("allocated") or 0), float(counted.get("total") or 0))


def memory(node: Mapping[str, Any]) -> Use:
    """Return the memory of a node that Slurm gives to jobs, in bytes."""
    return Use(
        float(node.get("allocated_memory_mib") or 0) * _MIB,
        float(node.get("memory_mib") or 0) * _MIB,
    )


def gpus(node: Mapping[str, Any]) -> Use:
    """Return the GPUs of a node."""
    return Use(float(node.get("used_gpus") or 0), float(node.get("gpus") or 0))


def is_well(node: Mapping[str, Any]) -> bool:
    """Whether a node does what nodes are for."""
    return str(node.get("state")) in _WELL and bool(node.get("responding", True))


def node_state(node: Mapping[str, Any]) -> str:
    """Return Slurm's word for a node's state, and whether it answers."""
    return str(node.get("state", "")) + ("" if node.get("responding", True) else ", silent")


def nodes(cluster: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes a cluster has told of."""
    return list((cluster.get("status") or {}).get("nodes") or ())


def troubled(cluster: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes of a cluster that are worth a look, each with the cluster's name."""
    return [{**node, "cluster": cluster["name"]} for node in nodes(cluster) if not is_well(node)]


def _sum(cluster: Mapping[str, Any], what: Callable[[Mapping[str, Any]], Use]) -> Use:
    return total_of(nodes(cluster), what)


def total_of(found: Iterable[Mapping[str, Any]], what: Callable[[Mapping[str, Any]], Use]) -> Use:
    """Return what nodes have of something, together."""
    return sum((what(node) for node in found), Use())


def count_in_use(use: Use) -> str:
    """Return how many are in use, as a bar and in numbers."""
    return f"{words.bar(*use)} {use.used:.0f}/{use.total:.0f}" if use.total else ""


def bytes_in_use(use: Use) -> str:
    """Return how much memory is in use, as a bar and in numbers."""
    return f"{words.bar(*use)} {format_bytes(use.used)} of {format_bytes(use.total)}" if use.total else ""


def _fullness(use: Use) -> str:
    return "" if not use.total or use.used < use.total else "yellow"


def _status(cluster: Mapping[str, Any], key: str) -> str:
    value = (cluster.get("status") or {}).get(key)
    return "" if value is None else str(value)


def _trouble(found: Iterable[Mapping[str, Any]]) -> str:
    ill = sum(not is_well(node) for node in found)
    return f"{ill} not well" if ill else ""


def seen(cluster: Mapping[str, Any]) -> str:
    """Say how old a cluster's status is."""
    taken_at = _status(cluster, "taken_at")
    return f"{words.age(taken_at)} ago" if taken_at else "never"


CLUSTER_COLUMNS = (
    Column("CLUSTER", "Its name.", lambda c: str(c["name"])),
    Column(
        "TAKES JOBS",
        "`no` while its administrators have closed it.",
        lambda c: "yes" if c.get("enabled", True) else "no",
        lambda c: "" if c.get("enabled", True) else "red",
        leaves=4,
    ),
    Column(
        "CPUS", "Given to jobs, of all.", lambda c: count_in_use(_sum(c, cpus)), lambda c: _fullness(_sum(c, cpus))
    ),
    Column("MEMORY", "Given to jobs, of all.", lambda c: bytes_in_use(_sum(c, memory)), leaves=2),
    Column("GPUS", "Given to jobs, of all.", lambda c: count_in_use(_sum(c, gpus)), leaves=1),
    Column("RUN", "Running jobs of everybody.", lambda c: _status(c, "running_jobs"), right=True),
    Column("WAIT", "Pending jobs of everybody.", lambda c: _status(c, "pending_jobs"), right=True),
    Column("NODES", "How many nodes.", lambda c: str(len(nodes(c)) or ""), leaves=5, right=True),
    Column("TROUBLE", "Nodes that are down, drained or silent.", lambda c: _trouble(nodes(c)), lambda _: "red"),
    Column(
        "STARTS",
        "How starts came, compared with what was foretold: the median of the last ones, and how many those are.",
        lambda c: words.punctuality(c.get("foretold")),
        leaves=3,
    ),
    Column("AS OF", "When the cluster told this.", seen),
)

REASON = Column(
    "REASON",
    "Why it is down or drained, as the administrators wrote.",
    lambda n: str(n.get("reason") or ""),
)
SINCE = Column("SINCE", "How long it has had it.", lambda n: words.age(n.get("since")), leaves=4, right=True)

NODE_COLUMNS = (
    Column("NODE", "Its name.", lambda n: str(n["name"])),
    Column(
        "STATE",
        "Slurm's word.",
        node_state,
        lambda n: "green" if is_well(n) else "red",
    ),
    Column("PARTITIONS", "It belongs to.", lambda n: ",".join(n.get("partitions") or ()), leaves=4),
    Column("CPUS", "Given to jobs, of all.", lambda n: count_in_use(cpus(n)), lambda n: _fullness(cpus(n))),
    Column("MEMORY", "Given to jobs, of all.", lambda n: bytes_in_use(memory(n)), leaves=2),
    Column("GPUS", "Given to jobs, of all.", lambda n: count_in_use(gpus(n)), leaves=1),
    Column("LOAD", "Its load average.", lambda n: str(n.get("load", "")), leaves=5, right=True),
    SINCE,
    REASON,
)

TROUBLE_COLUMNS = (
    Column("CLUSTER", "Where it is.", lambda n: str(n["cluster"])),
    *NODE_COLUMNS[:2],
    SINCE._replace(leaves=0),
    REASON,
)
