"""What the accounting lets a user do: accounts, quality of service, limits."""

from typing import Dict, List, NamedTuple, Sequence

from project.core.slurm.commands import CommandResult, lines_or_unavailable
from project.core.slurm.partitions import Partition

#: Limits as sacctmgr calls them, and as people do.
_LIMITS = (
    ("MaxJobs", "running jobs"),
    ("MaxSubmitJobs", "jobs in the queue"),
    ("MaxWall", "time limit"),
    ("MaxTRES", "per job"),
    ("GrpTRES", "at a time"),
)
_COLUMNS = ("Account", "Partition", "DefaultQOS", "QOS", *(name for name, _ in _LIMITS))


class Right(NamedTuple):
    """One association (sacctmgr(1)): an account of the user's, perhaps for one partition only.

    Attributes:
        account: its name.
        partition: the only one it holds for, "" for all.
        default_qos: quality of service of jobs that name none, "" for the cluster's.
        qos: those that may be asked for.
        limits: those that are set, by what they limit.
    """

    account: str
    partition: str
    default_qos: str
    qos: Sequence[str]
    limits: Dict[str, str]

    @property
    def words(self) -> str:
        """The same for people: `physics (QOS normal, long; running jobs: 10)`."""
        limited = [f"{what}: {limit}" for what, limit in self.limits.items()]
        more = "; ".join(filter(None, ["QOS " + ", ".join(self.qos) if self.qos else "", *limited]))
        where = f"{self.account} in {self.partition}" if self.partition else self.account
        return f"{where} ({more})" if more else where


class ShowRights(NamedTuple):
    """Ask the accounting what the user may do.

    Attributes:
        user: account name.
        cluster: Slurm's name of the cluster: others may share its accounting.
    """

    user: str
    cluster: str

    def argv(self) -> List[str]:
        """Return the command line."""
        return [
            "sacctmgr", "--noheader", "--parsable2", "show", "associations", f"user={self.user}",
            f"cluster={self.cluster}", "format={}".format(",".join(_COLUMNS)),
        ]  # fmt: skip

    def parse(self, result: CommandResult) -> List[Right]:
        """Return the user's rights; none where the accounting knows none.

        Raises:
            SchedulerUnavailable: the accounting does not answer.
        """
        rows = (line.split("|") for line in lines_or_unavailable(result, "sacctmgr"))
        return [_right(dict(zip(_COLUMNS, row))) for row in rows if len(row) == len(_COLUMNS)]


def _right(cells: Dict[str, str]) -> Right:
    return Right(
        account=cells["Account"],
        partition=cells["Partition"],
        default_qos=cells["DefaultQOS"],
        qos=[name for name in cells["QOS"].split(",") if name],
        limits={what: cells[name] for name, what in _LIMITS if cells[name]},
    )


def usable(partitions: Sequence[Partition], accounts: Sequence[str], groups: Sequence[str]) -> List[Partition]:
    """Return the partitions that start jobs now and let this user in, as far as they say.

    Args:
        partitions: all of them.
        accounts: of the user; none if the accounting knows none, and then accounts are not looked at.
        groups: of the system that the user belongs to.
    """
    return [partition for partition in partitions if partition.is_up and _lets_in(partition, accounts, groups)]


def _lets_in(partition: Partition, accounts: Sequence[str], groups: Sequence[str]) -> bool:
    kept_out = bool(accounts) and set(accounts) <= set(partition.denied_accounts)
    return _admits(partition.accounts, accounts) and _admits(partition.groups, groups) and not kept_out


def _admits(allowed: Sequence[str], own: Sequence[str]) -> bool:
    return not allowed or not own or bool(set(allowed) & set(own))
