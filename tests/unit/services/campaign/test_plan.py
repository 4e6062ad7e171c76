"""A campaign before it is sent: what is checked, and how it is split."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.job import ForEach, JobSpec
from project.core.slurm.ids import parse_task_list
from project.core.slurm.limits import Limits
from project.services.campaign.check import task_problems
from project.services.campaign.parts import part_size, split
from project.task import Task

_CAMPAIGN = "3f2b1c0e-0000-4000-8000-000000000000"


def tasks(count: int, **values: str) -> list[Task]:
    """So many tasks with these further values."""
    return [Task({"index": str(number), "stem": f"s{number}", **values}) for number in range(1, count + 1)]


def problems_of(made: list[Task], **keys: Any) -> list[str]:
    """What is wrong with a job of these tasks."""
    spec = JobSpec(username="", user_mail="", destination_clusters=[""], **{"execution": ["true"], **keys})
    return [f"{problem.message}. {problem.remedy}".rstrip(". ") for problem in task_problems(spec, made)]


def test_a_placeholder_that_is_none_is_told_with_the_likely_one() -> None:
    """In commands and outputs, before anything is sent; doubled braces and awk's are nobody's business."""
    found = problems_of(tasks(2), execution=["cat {stme} {{x}}", "awk '{print}' f"], output=["{indx}.txt"])
    assert [problem.partition(" To keep")[0] for problem in found] == [
        "{stme} is no placeholder here. Did you mean {stem}?",
        "{indx} is no placeholder here. Did you mean {index}?",
    ]
    (far,) = problems_of(tasks(2), execution=["cat {colour}"])
    assert far.partition(" To keep")[0] == "{colour} is no placeholder here. There are {index}, {stem}."
    (quoted,) = problems_of(tasks(2), execution=["cat <<'E'", "{stem}", "E"])
    assert "here-document" in quoted


def test_two_tasks_that_would_leave_the_same_file_are_told() -> None:
    """One problem for each output, with the first two of them; an output of the campaign as a whole is fine."""
    assert problems_of(tasks(3, same="x"), output=["{same}.txt", "summary.txt", "{index}.txt"]) == [
        "tasks 1 and 2 would both leave x.txt. Make '{same}.txt' differ, for example by {index}"
    ]


@pytest.mark.parametrize(
    ("asked", "limits", "size"),
    [
        (None, Limits(10000, 10000), 1000),
        (None, Limits(500, 5000), 500),
        (30, Limits(500, 5000), 30),
        (5000, Limits(4000, 4000), 1000),
    ],
)
def test_a_part_is_as_large_as_everybody_allows(asked: int | None, limits: Limits, size: int) -> None:
    """Slurm's array size, the user's wish, and 1000."""
    assert part_size(ForEach(tasks_per_array=asked), limits) == size


def test_parts_hold_every_task_once_and_know_the_one_before() -> None:
    """10,000 tasks in parts of 999: the first is the campaign, each other has a UUID of its own."""
    made = tasks(10_000)
    parts = split(made, 999, first=_CAMPAIGN, campaign=_CAMPAIGN)
    assert [len(part.tasks) for part in parts] == [999] * 10 + [10]
    assert [task for part in parts for task in part.tasks] == made
    assert parts[0].job_uuid == _CAMPAIGN
    assert [part.after for part in parts] == ["", *(part.job_uuid for part in parts[:-1])]
    assert len({part.job_uuid for part in parts}) == 11
    assert parts[1].indexes == "1000-1998"


def test_indexes_and_table_are_in_the_order_of_the_array() -> None:
    """Tasks that run again keep their numbers: line and place say which of them an array task is."""
    made = [task for task in tasks(30) if task.index in (3, 4, 5, 7, 30)]
    (part,) = split(made, 100, first="x", campaign=_CAMPAIGN, after="before")
    assert part.indexes == "3-5,7,30"
    assert parse_task_list(part.indexes) == [3, 4, 5, 7, 30]
    assert part.table.decode().splitlines()[3] == "export TASK_INDEX=7 TASK_STEM=s7"
    assert part.after == "before"
    assert part.in_registry() == {"uuid": _CAMPAIGN, "indexes": "3-5,7,30"}
    assert part.on_cluster(ForEach(at_once=5), Limits(1000, 400)) == {
        "campaign": _CAMPAIGN, "tasks": 5, "placeholders": ["index", "stem"], "after": "before", "chained": True,
        "most_queued": 400,
    }  # fmt: skip
