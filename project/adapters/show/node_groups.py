"""The nodes of a large cluster on one screen: those alike as one line, with what they have in use together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from project.adapters.show import words
from project.adapters.show.grid import (
    REASON,
    SINCE,
    bytes_in_use,
    count_in_use,
    cpus,
    gpus,
    is_well,
    memory,
    total_of,
)
from project.adapters.show.table import Column
from project.core.slurm.nodes import pack_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Group = dict[str, Any]


def node_groups(nodes: Iterable[Mapping[str, Any]]) -> list[Group]:
    """Return nodes that are alike together: well ones by partitions and size, then the others by state and reason.

    Of those that are not well, `since` is the newest: since then all of them are.
    """
    alike: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for node in nodes:
        alike.setdefault(_kind(node), []).append(node)
    groups = [_group(kind[0], members) for kind, members in alike.items()]
    return sorted(groups, key=lambda group: (not group["is_well"], -len(group["nodes"])))


def _kind(node: Mapping[str, Any]) -> tuple[Any, ...]:
    if is_well(node):
        return (True, tuple(node.get("partitions") or ()), cpus(node).total, memory(node).total, gpus(node).total)
    return (False, str(node.get("state")), bool(node.get("responding", True)), str(node.get("reason") or ""))


def _group(well: bool, members: list[Mapping[str, Any]]) -> Group:
    states = Counter(
        str(node.get("state")) + ("" if node.get("responding", True) else ", silent") for node in members
    )
    partitions = dict.fromkeys(name for node in members for name in node.get("partitions") or ())
    since = [str(node["since"]) for node in members if node.get("since")]
    return {
        "nodes": members,
        "is_well": well,
        "names": pack_nodes(str(node["name"]) for node in members),
        "state": words.tally(states) or next(iter(states)),
        "partitions": ",".join(partitions),
        "reason": "" if well else str(members[0].get("reason") or ""),
        "since": max(since, default="") if not well else "",
    }


NODE_GROUP_COLUMNS = (
    Column("NODES", "How many are alike.", lambda g: str(len(g["nodes"])), right=True),
    Column("NAMES", "Their names, as Slurm packs them.", lambda g: str(g["names"])),
    Column(
        "STATE",
        "Slurm's words, and how many are in each.",
        lambda g: str(g["state"]),
        lambda g: "green" if g["is_well"] else "red",
    ),
    Column("PARTITIONS", "They belong to.", lambda g: str(g["partitions"]), leaves=4),
    Column("CPUS", "Given to jobs, of all.", lambda g: count_in_use(total_of(g["nodes"], cpus))),
    Column("MEMORY", "Given to jobs, of all.", lambda g: bytes_in_use(total_of(g["nodes"], memory)), leaves=3),
    Column("GPUS", "Given to jobs, of all.", lambda g: count_in_use(total_of(g["nodes"], gpus)), leaves=1),
    SINCE,
    REASON,
)
