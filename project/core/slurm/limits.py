"""How much of one user Slurm takes at a time, which decides into how many arrays a campaign is split."""

from typing import List, Mapping, NamedTuple, Sequence

from project.core.slurm.commands import CommandResult
from project.core.units import whole_number

#: slurm.conf(5): what holds where nothing is set.
_MAX_ARRAY_SIZE, _MAX_JOB_COUNT = 1001, 10000
#: Of all jobs the cluster keeps at a time, a campaign shall leave room for those of others.
_SHARE = 0.5
_COLUMNS = 4


class Limits(NamedTuple):
    """What one user may have.

    Attributes:
        array_tasks: in one array.
        queued_tasks: in the queue, running ones included.
    """

    array_tasks: int
    queued_tasks: int


class Association(NamedTuple):
    """One account of the user's, as the accounting knows it.

    Attributes:
        account: its name.
        limits: on jobs in the queue that are set for it.
        qos: quality of service of jobs that name none.
    """

    account: str
    limits: List[int]
    qos: str


class ShowAssociations(NamedTuple):
    """Ask the accounting for the user's limits."""

    user: str

    def argv(self) -> List[str]:
        """Return the command line."""
        columns = "format=Account,DefaultQOS,MaxSubmitJobs,GrpSubmitJobs"
        return ["sacctmgr", "--noheader", "--parsable2", "show", "associations", f"user={self.user}", columns]

    def parse(self, result: CommandResult) -> List[Association]:
        """Return the user's accounts; none where the accounting does not answer."""
        rows = (line.split("|") for line in result.stdout.splitlines())
        return [Association(row[0], _numbers(row[2:]), row[1]) for row in rows if len(row) == _COLUMNS]


class ShowQos(NamedTuple):
    """Ask for the limits of one quality of service."""

    name: str

    def argv(self) -> List[str]:
        """Return the command line."""
        columns = "format=MaxSubmitJobsPerUser,MaxSubmitJobsPerAccount,GrpSubmitJobs"
        return ["sacctmgr", "--noheader", "--parsable2", "show", "qos", f"name={self.name}", columns]

    def parse(self, result: CommandResult) -> List[int]:
        """Return its limits on jobs in the queue; none where the accounting does not answer."""
        return [number for line in result.stdout.splitlines() for number in _numbers(line.split("|"))]


def _numbers(cells: Sequence[str]) -> List[int]:
    """Return the limits that are set: an empty cell is none, and -1 takes one away (sacctmgr(1))."""
    return [number for number in map(whole_number, cells) if number]


def limits_of(config: Mapping[str, str], submit_limits: Sequence[int]) -> Limits:
    """Return what holds: MaxArraySize is one more than the highest index, so one more than the tasks (slurm.conf(5)).

    Args:
        config: of `scontrol show config`.
        submit_limits: on jobs in the queue, each array task counting as one.
    """
    share = int(_number(config.get("MaxJobCount", ""), _MAX_JOB_COUNT) * _SHARE)
    queued = min([share, *submit_limits])
    array_tasks = _number(config.get("MaxArraySize", ""), _MAX_ARRAY_SIZE) - 1
    return Limits(max(1, min(array_tasks, queued)), queued)


def _number(text: str, default: int) -> int:
    number = whole_number(text)
    return default if number is None else number
