"""Resources to `#SBATCH` directives: one table.

Source: sbatch(1). Only what the user asked for is written, so that the cluster's own defaults stay in force.
"""

from typing import Any, Callable, List, NamedTuple, Optional

from project.core.job import ArraySpec, Resources
from project.core.units import format_slurm_time

_DISTRIBUTIONS = {
    "grouped": "--nodes=1",
    "scattered": "--ntasks-per-node=1",
    "distributed": None,  # --nodes comes from nbr_of_nodes
}


def _array(array: ArraySpec) -> str:
    throttle = "" if array.at_once is None else f"%{array.at_once}"
    return f"--array={array.expression}{throttle}"


def _option(name: str) -> Callable[[Any], str]:
    return lambda value: f"--{name}={value}"


class _Rule(NamedTuple):
    attribute: str
    write: Callable[[Any], Optional[str]]


_RULES = (
    _Rule("array", _array),
    _Rule("time_limit_s", lambda seconds: f"--time={format_slurm_time(seconds)}"),
    _Rule("ntasks", _option("ntasks")),
    _Rule("cpus_per_task", _option("cpus-per-task")),
    _Rule("mem_per_cpu_mib", "--mem-per-cpu={}M".format),
    _Rule("distribution", _DISTRIBUTIONS.get),
    _Rule("nodes", _option("nodes")),
    _Rule("ntasks_per_node", _option("ntasks-per-node")),
    _Rule("partition", _option("partition")),
    _Rule("account", _option("account")),
    _Rule("qos", _option("qos")),
    _Rule("reservation", _option("reservation")),
    _Rule("gpus", _option("gpus")),
    _Rule("constraint", _option("constraint")),
    _Rule("exclusive", lambda wanted: "--exclusive" if wanted else None),
    _Rule("requeue", lambda wanted: "--requeue" if wanted else "--no-requeue"),
)


def directives(resources: Resources) -> List[str]:
    """Return sbatch's options for these resources, in a fixed order."""
    asked = ((rule, getattr(resources, rule.attribute)) for rule in _RULES)
    written = (rule.write(value) for rule, value in asked if value is not None)
    return [option for option in written if option is not None]


def placed(resources: Resources, partition: str) -> Resources:
    """Return the resources as a cluster is asked for them: in its usual partition unless they name one."""
    if resources.partition is None and partition:
        return resources._replace(partition=partition)
    return resources
