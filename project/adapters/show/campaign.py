"""A campaign on one screen: its parts as jobs, and its tasks under the campaign's own numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.adapters.show import words
from project.adapters.show.jobs import task_rows
from project.core.answers import DIGEST
from project.core.campaign import places_of, tally_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Job = dict[str, Any]


def facts(parts: Sequence[Job]) -> list[tuple[str, str]]:
    """Return what there is to say of a campaign as a whole, by name.

    Args:
        parts: with all that the registry has of them, in the order of their creation.
    """
    first, label = parts[0], parts[0].get("job_name")
    digests = [event["body"] for event in first["timeline"] if event["kind"] == DIGEST]
    said = {
        "campaign": f"{first['job_uuid']}  {label}" if label else str(first["job_uuid"]),
        "tasks": words.tally(tally_of(parts)),
        "ended": f"{digests[-1]['state']}: {digests[-1]['message']}" if digests else "",
        "cluster": str(first["cluster"]),
        "submitted": f"{words.age(first['created_at'])} ago",
        "folder": str(first.get("job_directory") or ""),
        "repeats": str(first.get("resubmission_of") or ""),
    }
    return [(name, text) for name, text in said.items() if text]


def rows(parts: Sequence[Job]) -> list[dict[str, Any]]:
    """Return the last attempt of each task that Slurm knows, by its number in the campaign."""
    places = places_of(parts, "")
    found = {}
    for part in parts:
        numbers = places.get(str(part["job_uuid"]), {})
        for row in task_rows(part):
            slurm_job_id, _, task = str(row["JobID"]).partition("_")
            if task.isdecimal() and int(task) in numbers:
                index = numbers[int(task)]
                found[index] = {**row, "JobID": f"{slurm_job_id}_{index}"}
    return [found[index] for index in sorted(found)]
