"""sinfo's view of a cluster, as the status the registry keeps."""

import re
from collections import Counter
from itertools import islice
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from project.core.errors import SchedulerUnavailable
from project.core.slurm.commands import CommandResult
from project.core.units import whole_number

_FORMAT = "%N|%P|%T|%C|%O|%m|%e|%G|%H|%E"
_COLUMNS = (
    "name", "partition", "state", "cpus", "load", "memory_mib", "free_memory_mib", "gres", "since", "reason",
)  # fmt: skip
_CPU_WORDS = ("allocated", "idle", "other", "total")


class Sinfo(NamedTuple):
    """Ask for every node of every partition."""

    def argv(self) -> List[str]:
        """Return the command line."""
        return ["sinfo", "--noheader", "--Node", f"--format={_FORMAT}"]

    def parse(self, result: CommandResult) -> List[Dict[str, Any]]:
        """Return one document per node, its partitions gathered; `since` is local time, "" without a reason.

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
        "since": "" if cells["reason"] == "none" else cells["since"],
    }


def _number(text: str) -> float:
    """Read a number; `N/A` and its like count as 0."""
    whole, point, part = text.partition(".")
    number = whole_number(whole)
    if number is None or (point and whole_number(part) is None):
        return 0
    return float(text) if point else number


class NodeUse(NamedTuple):
    """Ask how much memory and how many GPUs of each node jobs have; `--format` has no letters for these."""

    def argv(self) -> List[str]:
        """Return the command line; each field as wide as it may become, or sinfo cuts it."""
        return ["sinfo", "--noheader", "--Node", "--Format=NodeList:256,AllocMem:32,GresUsed:1024"]

    def parse(self, result: CommandResult) -> Dict[str, Dict[str, int]]:
        """Return `allocated_memory_mib` and `used_gpus` of each node by its name.

        Raises:
            SchedulerUnavailable: sinfo failed.
        """
        if result.exit_code != 0:
            raise SchedulerUnavailable(f"sinfo does not answer: {result.tail}")
        rows = (line.split(None, 2) for line in result.stdout.splitlines())
        return {
            row[0]: {"allocated_memory_mib": int(_number(row[1])), "used_gpus": count_gpus(row[2])}
            for row in rows
            if len(row) == len(("name", "memory", "gres"))
        }


def count_gpus(gres: str) -> int:
    """Count the GPUs in a list of generic resources: `gpu:a100:4(S:0-1),gpu:2,lustre:1` has 6."""
    without_places = re.sub(r"\([^)]*\)", "", gres)
    parts = [part.strip().split(":") for part in without_places.split(",")]
    return sum(int(_number(part[-1])) for part in parts if part[0] == "gpu" and len(part) > 1)


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


def cluster_status(
    nodes: List[Dict[str, Any]],
    counts: Dict[str, int],
    taken_at: str,
    use: Optional[Dict[str, Dict[str, int]]] = None,
) -> Dict[str, Any]:
    """Return the status document of docs/protocol.md; `use` is what NodeUse tells."""
    for node in nodes:
        node.update((use or {}).get(node["name"], {}))
        node["gpus"] = count_gpus(node["gres"])
    totals = {word: sum(int(node["cpus"].get(word, 0)) for node in nodes) for word in _CPU_WORDS}
    return dict(counts, taken_at=taken_at, cluster={"nodes": len(nodes), "cpus": totals}, nodes=nodes)


class NodeClass(NamedTuple):
    """Nodes that are alike: how many, and what each has."""

    number: int
    cpus: int
    memory_mib: int
    gres: str
    partitions: Sequence[str]


def node_classes(nodes: Sequence[Mapping[str, Any]]) -> List[NodeClass]:
    """Return the kinds of nodes of a status document, the most frequent first."""
    alike = Counter(
        (
            int((node.get("cpus") or {}).get("total") or 0),
            int(node.get("memory_mib") or 0),
            str(node.get("gres") or ""),
            tuple(node.get("partitions") or ()),
        )
        for node in nodes
    )
    return [NodeClass(number, *kind) for kind, number in alike.most_common()]


_HOSTS = re.compile(r"([^\[\],]+)(?:\[([^\]]*)\])?([^\[\],]*)")
_MOST_HOSTS = 100_000


def expand_nodes(node_list: str) -> List[str]:
    """Return the names in a list as Slurm prints it: `n[1-3,7],login` is n1, n2, n3, n7 and login."""
    return list(islice(_names(node_list), _MOST_HOSTS))


def _names(node_list: str) -> Iterator[str]:
    for head, inner, tail in _HOSTS.findall(node_list):
        for number in _numbers(inner) if inner else ("",):
            yield f"{head}{number}{tail}"


def _numbers(inner: str) -> Iterator[str]:
    """Yield the numbers of a list of ranges, as wide as they are written."""
    for part in inner.split(","):
        first, _, last = part.partition("-")
        begin, end = whole_number(first), whole_number(last or first)
        if begin is not None and end is not None:
            for number in range(begin, end + 1):
                yield str(number).zfill(len(first))


_NUMBERED = re.compile(r"(.*?)([0-9]+)(\D*)", re.ASCII)


def pack_nodes(names: Iterable[str]) -> str:
    """Write names of nodes as Slurm does, and `expand_nodes` reads them: `n[1-3,7],login`."""
    parts = [(name, _NUMBERED.fullmatch(name)) for name in names]
    numbered = [found.groups() for _, found in parts if found]
    padded = {(head, len(number), tail) for head, number, tail in numbered if number.startswith("0")}
    packed: Dict[Tuple[str, int, str], List[int]] = {}
    for head, number, tail in numbered:
        width = len(number) if (head, len(number), tail) in padded else 0
        packed.setdefault((head, width, tail), []).append(int(number))
    plain = [name for name, found in parts if found is None]
    return ",".join([*(_packed(*kind, numbers) for kind, numbers in packed.items()), *plain])


def _packed(head: str, width: int, tail: str, numbers: Sequence[int]) -> str:
    ranges: List[List[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    told = ["-".join(str(end).zfill(width) for end in dict.fromkeys(span)) for span in ranges]
    return f"{head}{told[0]}{tail}" if told == [told[0]] and "-" not in told[0] else f"{head}[{','.join(told)}]{tail}"
