"""What came of jobs and of their tasks, read from what the registry has of them. Pure functions."""

from typing import Any, Counter, Dict, List, Mapping, Optional, Sequence

from project.core.answers import DIGEST
from project.core.campaign import places_of, tally_of
from project.core.slurm.states import aggregate, is_end_state, parse_state
from project.core.states import GatewayState

Job = Dict[str, Any]


def headline(job: Mapping[str, Any]) -> str:
    """Return the one word that matters: once Slurm's verdict is known and nothing went wrong later, that."""
    outcome, state = job.get("outcome"), str(job["state"])
    return str(outcome) if outcome and state != GatewayState.ERROR.value else state


def outcome_of(jobs: Sequence[Job]) -> str:
    """Return how a job ended or stands; of a campaign, given by its parts, the worst of its tasks' last attempts."""
    if not jobs[0].get("campaign"):
        return str(jobs[0].get("outcome") or jobs[0]["state"])
    words = list(tally_of(jobs))
    return aggregate(map(parse_state, words), len(words)) or words[0]


def in_words(counted: Counter[str]) -> str:
    """Say how many are in each state, the most frequent first: `13 COMPLETED, 2 RUNNING`."""
    return ", ".join(f"{number} {word}" for word, number in counted.most_common())


def number_ended(counted: Counter[str]) -> int:
    """Return how many of those counted by state have ended, or never came into the queue."""
    return sum(number for word, number in counted.items() if is_end_state(word) or word == GatewayState.ERROR.value)


def digest_of(first: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
    """Return the newest digest of a campaign from all values of its first part; None before its end."""
    digests = [event["body"] for event in first.get("timeline", ()) if event["kind"] == DIGEST]
    return digests[-1] if digests else None


def task_rows(job: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Return the tasks of a job, or the one row of a plain job."""
    columns: Mapping[str, Sequence[Any]] = job["job_status"]
    return [dict(zip(columns, cells)) for cells in zip(*columns.values())]


def last_attempts(parts: Sequence[Job]) -> List[Dict[str, Any]]:
    """Return the last attempt of each of a campaign's tasks that Slurm knows, by its number in the campaign.

    Args:
        parts: with all that the registry has of them, in the order of their creation.
    """
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
