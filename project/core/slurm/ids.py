"""Slurm's job ids: `123`, `123_4`, `123_[4-6,8%2]`, and the task lists of `--array`."""

import re
from typing import Iterable, List, NamedTuple, Set, Tuple

from project.core.slurm.states import COMPLETED, parse_state

#: The highest array task id there can be: one less than the highest MaxArraySize (slurm.conf(5)).
MAX_TASK_ID = 4_000_000

_JOB = re.compile(r"^(?P<job>\d+)(?:_(?:(?P<task>\d+)|\[(?P<tasks>[^\]]*)\]?))?$", re.ASCII)
_RANGE = re.compile(r"^(\d+)(?:-(\d+)(?::(\d+))?)?$", re.ASCII)


class SlurmId(NamedTuple):
    """A job id as Slurm prints it.

    Attributes:
        slurm_job_id: the number every task of an array shares.
        tasks: array task ids named in it; empty for a plain job.
    """

    slurm_job_id: str
    tasks: List[int]


def parse_task_list(text: str) -> List[int]:
    """Read `1-3,7,10-20:5%4` as task ids in ascending order; the throttle behind `%` is left out.

    Raises:
        ValueError: it is not a list of numbers and ranges.
    """
    ids: Set[int] = set()
    for part in text.split("%", 1)[0].split(","):
        match = _RANGE.match(part.strip())
        if match is None:
            raise ValueError(f"not a list of task ids: {text!r}")
        first, last, step = int(match.group(1)), int(match.group(2) or match.group(1)), int(match.group(3) or 1)
        if step == 0:
            raise ValueError(f"a step of 0 in {text!r}")
        if not first <= last <= MAX_TASK_ID:
            raise ValueError(f"{part.strip()!r} is no range of task ids from 0 to {MAX_TASK_ID}")
        ids.update(range(first, last + 1, step))
    return sorted(ids)


def format_task_list(tasks: Iterable[int]) -> str:
    """Write task ids as `--array` and scancel take them: `1-3,7`."""
    ranges: List[List[int]] = []
    for task in sorted(set(tasks)):
        if ranges and task == ranges[-1][1] + 1:
            ranges[-1][1] = task
        else:
            ranges.append([task, task])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def of_tasks(slurm_job_id: str, tasks: Iterable[int]) -> str:
    """Write tasks of an array as one id that scancel takes: `123_[1-3,7]`."""
    return f"{slurm_job_id}_[{format_task_list(tasks)}]"


def parse_id(text: str) -> SlurmId:
    """Read a job id of sacct's `JobID` or squeue's `%i` column.

    Raises:
        ValueError: it is not one (a job step such as `123.batch` is none).
    """
    match = _JOB.match(text.strip())
    if match is None:
        raise ValueError(f"not a Slurm job id: {text!r}")
    if match.group("task") is not None:
        return SlurmId(match.group("job"), [int(match.group("task"))])
    listed = match.group("tasks")
    return SlurmId(match.group("job"), parse_task_list(listed) if listed else [])


def failed_tasks(rows: Iterable[Tuple[str, str]]) -> List[int]:
    """Return the array task ids, of (JobID, State) as sacct lists them, that ended and not well."""
    ended = ((parse_id(job_id).tasks, parse_state(state)) for job_id, state in rows)
    return sorted(task for tasks, state in ended for task in tasks if state.ended and state.word != COMPLETED)
