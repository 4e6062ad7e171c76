"""Splits a campaign into parts: each an ordinary job with an array of its own, all in one working directory."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.errors import UsageError
from project.core.slurm.limits import Limits
from project.core.task_table import write_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from project.core.job import ForEach, JobSpec
    from project.services.remote import Remote
    from project.task import Task

#: What the registry lists at a time.
MOST_PARTS = 500
#: More tasks in one job would make every answer about it long; Slurm's own limit is 1000 unless set otherwise.
MOST_TASKS_OF_A_PART = 1000


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        job_uuid: its own.
        campaign: UUID of the campaign, which is that of its first part.
        tasks: in the order of the array.
        after: UUID of the part that is submitted before it, "" for none.
    """

    job_uuid: str
    campaign: str
    tasks: Sequence[Task]
    after: str

    @property
    def table(self) -> bytes:
        """The table of its tasks, as it lies on the cluster."""
        lines = (write_line(task.values) + "\n" for task in self.tasks)
        return "".join(lines).encode("utf-8", "surrogateescape")

    @property
    def indexes(self) -> str:
        """The numbers of its tasks in the campaign, in the order of the array: `1-1000`, `3,7,19`."""
        return ",".join(_ranges([task.index for task in self.tasks]))

    def in_registry(self) -> dict[str, str]:
        """What the registry keeps of it."""
        return {"uuid": self.campaign, "indexes": self.indexes}

    def on_cluster(self, each: ForEach, limits: Limits) -> dict[str, Any]:
        """What the wrapper is told of it."""
        return {
            "campaign": self.campaign,
            "tasks": len(self.tasks),
            "placeholders": list(self.tasks[0].values),
            "after": self.after,
            "chained": each.at_once is not None,
            "most_queued": limits.queued_tasks,
        }


def split(tasks: Sequence[Task], size: int, *, first: str, campaign: str, after: str = "") -> list[Part]:
    """Return parts of at most `size` tasks; the first has the UUID `first`, the others new ones.

    Raises:
        UsageError: they would be too many.
    """
    if len(tasks) > size * MOST_PARTS:
        raise UsageError(
            f"{len(tasks)} tasks would be more than {MOST_PARTS} arrays of {size}",
            remedy="Raise for_each.tasks_per_array, or make several campaigns of it",
        )
    parts: list[Part] = []
    for start in range(0, len(tasks), size):
        job_uuid = str(uuid.uuid4()) if parts else first
        batch = tasks[start : start + size]
        parts.append(Part(job_uuid, campaign, batch, parts[-1].job_uuid if parts else after))
    return parts


def part_size(each: ForEach, limits: Limits) -> int:
    """Return how many tasks a part may have."""
    return min(limits.array_tasks, MOST_TASKS_OF_A_PART, each.tasks_per_array or MOST_TASKS_OF_A_PART)


def ask_limits(remote: Remote, spec: JobSpec) -> Limits:
    """Ask the Slurm of a cluster that was probed how much it takes of the user at a time.

    Raises:
        SchedulerUnavailable: it does not answer.
    """
    words = (spec.resources.account or "", spec.resources.qos or "")
    answers = [event for event in remote.ask("limits", *words) if event["event"] == "limits"]
    return Limits(int(answers[0]["array_tasks"]), int(answers[0]["queued_tasks"]))


def brought_along(parts: Sequence[Part], specs: Sequence[Mapping[str, Any]]) -> dict[str, Path | bytes]:
    """Return what the first part's parcel holds besides its own spec: the tables, the other parts, all data."""
    others: dict[str, Path | bytes] = {"tasks": parts[0].table}
    for part, spec in zip(parts[1:], specs[1:], strict=True):
        others[f"parts/{part.job_uuid}/spec.json"] = json.dumps(spec, sort_keys=True).encode()
        others[f"parts/{part.job_uuid}/tasks"] = part.table
    for part in parts:
        for task in part.tasks:
            others.update({f"work/{name}": path for name, path in task.files.items()})
    return others


def _ranges(numbers: Sequence[int]) -> list[str]:
    """Write ascending numbers as ranges."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
