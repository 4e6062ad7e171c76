"""What is known of a job that somebody wants explained: its worst task, what it asked for and what it used."""

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from project.core.job import JobSpec
from project.core.slurm.nodes import expand_nodes
from project.core.slurm.states import parse_state
from project.core.units import parse_memory_mib, parse_slurm_time_s, whole_number

_WELL = frozenset(("idle", "mixed", "allocated", "completing", "planned", "reserved"))


class Facts(NamedTuple):
    """A job.

    Attributes:
        state: of the whole job: Slurm's word, or one of ours.
        stage: where it ended, if with ERROR.
        reason: why it waits, or what ERROR told.
        detail: the end of what was printed on standard error.
        alike: numbers of the tasks this is about, all of one kind, told by one of them; none of a plain job.
        total: how many tasks there are.
        exit_code: Slurm's `code:signal`.
        elapsed_s: how long it ran.
        time_limit_s: how long it might have; None if nobody said.
        used_mib: the most memory a step of it used; None if not known.
        memory_mib: what it had on each node; None if not known.
        cpus: how many it had.
        cpu_s: how long they worked for it, all together; None if not known.
        mem_per_cpu_mib: what the job file asked for each thread; None if it did not.
        nodes: where it ran.
        sick_nodes: what the cluster says of those of them that are not well now.
        flag: what the user should look at: it would not be cancelled, or runs past its limit.
    """

    state: str
    stage: str = ""
    reason: str = ""
    detail: str = ""
    alike: Sequence[int] = ()
    total: int = 1
    exit_code: str = ""
    elapsed_s: Optional[int] = None
    time_limit_s: Optional[int] = None
    used_mib: Optional[int] = None
    memory_mib: Optional[int] = None
    cpus: int = 1
    cpu_s: Optional[int] = None
    mem_per_cpu_mib: Optional[int] = None
    nodes: str = ""
    sick_nodes: Sequence[str] = ()
    flag: str = ""


class Cluster(NamedTuple):
    """What the registry last heard of a cluster.

    Attributes:
        nodes: its nodes.
        as_of: how long ago that was.
    """

    nodes: Sequence[Mapping[str, Any]] = ()
    as_of: str = ""


def gather(job: Mapping[str, Any], spec: JobSpec, cluster: Cluster) -> Facts:
    """Return the facts of a job as a whole; of an array what is told of a task is of the worst.

    Args:
        job: its document in the registry.
        spec: what it asked for.
        cluster: where it is.
    """
    worst = max(rows_of(job), key=lambda row: parse_state(row.get("State", "")).severity, default={})
    told = _last_told(job)
    return of_row(worst, spec, cluster)._replace(
        state=str(job.get("outcome") or job["state"]),
        stage=str(told.get("stage") or ""),
        reason=str(told.get("reason") or ""),
        detail=_last_detail(job),
        flag=str(job.get("flag") or ""),
    )


def of_row(row: Mapping[str, str], spec: JobSpec, cluster: Cluster) -> Facts:
    """Return what the accounting tells of one task."""
    node_list = _known(row.get("NodeList", ""))
    return Facts(
        state=parse_state(row.get("State", "")).word,
        exit_code=row.get("ExitCode", ""),
        elapsed_s=parse_slurm_time_s(row.get("Elapsed", "")),
        time_limit_s=parse_slurm_time_s(row.get("Timelimit", "")) or spec.resources.time_limit_s,
        used_mib=_mib(row.get("MaxRSS", "")),
        memory_mib=_memory_a_node(row),
        cpus=_number(row.get("NCPUS", "")),
        cpu_s=parse_slurm_time_s(row.get("TotalCPU", "").partition(".")[0]),
        mem_per_cpu_mib=spec.resources.mem_per_cpu_mib,
        nodes=node_list,
        sick_nodes=_sick(node_list, cluster.nodes, cluster.as_of),
    )


def rows_of(job: Mapping[str, Any]) -> List[Dict[str, str]]:
    """Return what the accounting tells of each task."""
    columns: Mapping[str, Sequence[Any]] = job.get("job_status") or {}
    return [{name: str(cell or "") for name, cell in zip(columns, cells)} for cells in zip(*columns.values())]


#: A reason of Slurm's at the end of the notice that tells of it.
_TOLD_REASON = re.compile(r"\((\w[\w ]*)\)")


def _last_told(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the newest event with a reason says: a state, or a notice of what keeps the job in the queue."""
    for event in reversed(job.get("timeline") or ()):
        body = event["body"]
        found = _TOLD_REASON.search(str(body.get("message"))) if body.get("stage") == "queue" else None
        if found:
            return {"reason": found.group(1)}
        if event["kind"] == "state" and body.get("reason"):
            return dict(body)
    return {}


def _last_detail(job: Mapping[str, Any]) -> str:
    details = [str(event["body"].get("detail") or "") for event in job.get("timeline") or ()]
    return next((detail for detail in reversed(details) if detail), "")


def _known(node_list: str) -> str:
    return "" if node_list in ("None assigned", "None") else node_list


def _mib(text: str) -> Optional[int]:
    try:
        return parse_memory_mib(text)
    except ValueError:
        return None


def _memory_a_node(row: Mapping[str, str]) -> Optional[int]:
    """Return the memory a task had on each of its nodes (`AllocTRES`), None if that is not told."""
    found = re.search(r"\bmem=([0-9.]+[KMGT])", row.get("AllocTRES", "") or row.get("ReqTRES", ""))
    total = _mib(found.group(1)) if found else None
    return None if total is None else total // _number(row.get("NNodes", ""))


def _number(text: str) -> int:
    return max(1, whole_number(text) or 1)


def _sick(node_list: str, nodes: Sequence[Mapping[str, Any]], as_of: str) -> List[str]:
    wanted = set(expand_nodes(node_list))
    ill = (node for node in nodes if node.get("name") in wanted and node.get("state") not in _WELL)
    return [_illness(node, as_of) for node in ill]


def _illness(node: Mapping[str, Any], as_of: str) -> str:
    told = [str(node["reason"])] if node.get("reason") else []
    told += [f"as of {as_of}"] if as_of else []
    return "{} is {}{}".format(
        node["name"], node.get("state") or "in no known state", " ({})".format(", ".join(told)) if told else ""
    )
