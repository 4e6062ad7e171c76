"""Partitions as `scontrol` tells them, and what of a job's wishes a partition can never give.

sbatch takes such a job all the same (EnforcePartLimits=NO, the default), and it pends for ever.
"""

import re
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from project.core.job import Resources
from project.core.slurm.commands import CommandResult, lines_or_unavailable
from project.core.units import format_duration, parse_slurm_time_s, whole_number

_WORD = re.compile(r"(\w+)=(\S*)")
_EVERYBODY = frozenset(("ALL", "(null)", ""))
_UP = "UP"


class Partition(NamedTuple):
    """A partition; a limit that is None is none.

    Attributes:
        name: its name.
        is_default: whether it is taken where a job names none.
        state: UP, DOWN, DRAIN or INACTIVE.
        nodes: how many.
        cpus: how many.
        max_time_s: the longest time limit.
        default_time_s: the time limit of a job that names none.
        max_nodes: the most nodes of a job.
        accounts: who may use it; empty: everybody.
        denied_accounts: who may not.
        qos: with which quality of service; empty: any.
        groups: members of which groups of the system; empty: all.
    """

    name: str
    is_default: bool = False
    state: str = _UP
    nodes: int = 0
    cpus: int = 0
    max_time_s: Optional[int] = None
    default_time_s: Optional[int] = None
    max_nodes: Optional[int] = None
    accounts: Sequence[str] = ()
    denied_accounts: Sequence[str] = ()
    qos: Sequence[str] = ()
    groups: Sequence[str] = ()

    @property
    def is_up(self) -> bool:
        """Whether it starts jobs."""
        return self.state == _UP


class ShowPartitions(NamedTuple):
    """Ask for every partition the user may see."""

    def argv(self) -> List[str]:
        """Return the command line."""
        return ["scontrol", "--oneliner", "show", "partition"]

    def parse(self, result: CommandResult) -> List[Partition]:
        """Return them in Slurm's order.

        Raises:
            SchedulerUnavailable: scontrol failed.
        """
        lines = (dict(_WORD.findall(line)) for line in lines_or_unavailable(result, "scontrol"))
        return [_partition(words) for words in lines if words.get("PartitionName")]


def _partition(words: Dict[str, str]) -> Partition:
    return Partition(
        name=words["PartitionName"],
        is_default=words.get("Default") == "YES",
        state=words.get("State", _UP),
        nodes=whole_number(words.get("TotalNodes", "")) or 0,
        cpus=whole_number(words.get("TotalCPUs", "")) or 0,
        max_time_s=parse_slurm_time_s(words.get("MaxTime", "")),
        default_time_s=parse_slurm_time_s(words.get("DefaultTime", "")),
        max_nodes=whole_number(words.get("MaxNodes", "")),
        accounts=_names(words.get("AllowAccounts", "")),
        denied_accounts=_names(words.get("DenyAccounts", "")),
        qos=_names(words.get("AllowQos", "")),
        groups=_names(words.get("AllowGroups", "")),
    )


def _names(text: str) -> Tuple[str, ...]:
    return () if text in _EVERYBODY else tuple(text.split(","))


def wanted_partition(partitions: Sequence[Partition], name: Optional[str]) -> Optional[Partition]:
    """Return the partition a job goes to, the default one if it names none.

    None if it is not there; of several names (`a,b`) Slurm takes the best, so nothing is known then either.
    """
    return next((p for p in partitions if (p.name == name if name else p.is_default)), None)


def never_starts(resources: Resources, partitions: Sequence[Partition]) -> str:
    """Return why a job would be taken and wait for ever in its partition, "" if nothing is known to be in its way."""
    partition = wanted_partition(partitions, resources.partition)
    if partition is None:
        return ""
    nodes = resources.nodes or (resources.ntasks if resources.distribution == "scattered" else None)
    limits = (
        (not partition.is_up, "partition {} starts no jobs now"),
        (
            _above(resources.time_limit_s, partition.max_time_s),
            f"its time limit is above {_time(partition)} of partition {{}}",
        ),
        (_above(nodes, partition.max_nodes), f"it wants more than {partition.max_nodes} nodes of partition {{}}"),
        (
            _is_kept_out(resources.account, partition.accounts, partition.denied_accounts),
            f"account {resources.account} may not use partition {{}}",
        ),
        (_is_kept_out(resources.qos, partition.qos), f"QOS {resources.qos} may not be used in partition {{}}"),
    )
    return next((words.format(partition.name) for holds, words in limits if holds), "")


def _time(partition: Partition) -> str:
    return format_duration(partition.max_time_s or 0)


def _above(asked: Optional[int], limit: Optional[int]) -> bool:
    return asked is not None and limit is not None and asked > limit


def _is_kept_out(name: Optional[str], allowed: Sequence[str], denied: Sequence[str] = ()) -> bool:
    return name is not None and (name in denied or bool(allowed and name not in allowed))
