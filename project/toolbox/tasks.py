"""Array tasks as users name them."""

from typing import List

from project.core.errors import UsageError
from project.core.slurm.ids import parse_task_list
from project.wrapper.job import Job


def chosen_tasks(job: Job, expression: str) -> List[int]:
    """Return the array task ids that `3-7,9` names, all for ""; of a plain job none.

    Raises:
        UsageError: the job has no such tasks.
    """
    array = job.spec.resources.array
    if array is None:
        if expression:
            raise UsageError("this job is no array, so it has no tasks", remedy="Leave --task out")
        return []
    wanted = parse_task_list(expression) if expression else array.task_ids
    missing = sorted(set(wanted).difference(array.task_ids))
    if missing:
        raise UsageError(f"the job has no task {missing[0]}", remedy=f"Its tasks are {array.expression}")
    return wanted
