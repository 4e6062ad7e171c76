"""A command without any file, as a job file."""

import math
from typing import Any, Dict, NamedTuple, Optional, Sequence

from project.core import shell_words
from project.core.problems import InvalidDocument, Problem
from project.core.units import parse_memory_mib


class CommandWish(NamedTuple):
    """What is to be run, and on what.

    Attributes:
        words: of the command.
        nodes: how many.
        processes_per_node: how many processes of it on each.
        cpus: of each process; None for the cluster's default.
        memory: of each node, with its unit; "" for the cluster's default.
        time: limit; "" for the cluster's default.
        name: label; "" for the command's own name.
    """

    words: Sequence[str]
    nodes: int = 1
    processes_per_node: int = 1
    cpus: Optional[int] = None
    memory: str = ""
    time: str = ""
    name: str = ""


def job_file(wish: CommandWish) -> Dict[str, Any]:
    """Return `job_name`, `execution` and `resources` of a job file; several processes are started by srun.

    Raises:
        InvalidDocument: the memory is no size.
    """
    several = wish.nodes * wish.processes_per_node > 1
    line = shell_words.join(["srun", *wish.words] if several else wish.words)
    return {
        "job_name": wish.name or wish.words[0].rpartition("/")[2],
        "execution": [line],
        "resources": {key: value for key, value in _resources(wish).items() if value},
    }


def _resources(wish: CommandWish) -> Dict[str, Any]:
    spread = {
        "distribution": "distributed",
        "nbr_of_nodes": wish.nodes,
        "nbr_processes_per_node": wish.processes_per_node,
    }
    together = {"distribution": "grouped"}
    return {
        "nbr_processes": wish.nodes * wish.processes_per_node,
        "nbr_threads_per_process": wish.cpus,
        "duration": wish.time,
        "memory_per_thread": _memory_of_each_cpu(wish),
        **(spread if wish.nodes > 1 else together),
    }


def _memory_of_each_cpu(wish: CommandWish) -> str:
    """Return a node's memory shared among the CPUs asked for there: a job file asks for memory by CPU."""
    if not wish.memory:
        return ""
    try:
        of_node_mib = parse_memory_mib(wish.memory)
    except ValueError as error:
        problem = Problem("--mem", str(error), "Write a number with its unit, such as 4G")
        raise InvalidDocument("the command line", [problem]) from error
    return f"{math.ceil(of_node_mib / (wish.processes_per_node * (wish.cpus or 1)))}M"
