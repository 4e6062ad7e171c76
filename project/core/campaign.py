"""A campaign's numbers: which part has which of its tasks, and how they stand."""

import collections
from typing import Any, Counter, Dict, List, Mapping, Sequence

from project.core.errors import UsageError
from project.core.rules import UUID, Rule, keyed
from project.core.slurm.ids import format_task_list, parse_task_list
from project.core.slurm.states import parse_state
from project.core.states import GatewayState, is_success

Job = Dict[str, Any]


def _is_task_list(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(parse_task_list(value))
    except ValueError:
        return False


_PART = {"uuid": UUID, "indexes": Rule(_is_task_list, "numbers such as 1-10,12", {"type": "string", "minLength": 1})}
#: What makes a job a part of a campaign.
PART = keyed(_PART, "an object of uuid and indexes", tuple(_PART))


def is_first_part(job: Mapping[str, Any]) -> bool:
    """Whether a job's UUID is a campaign's."""
    return bool(job.get("campaign")) and job["campaign"]["uuid"] == job["job_uuid"]


def indexes_of(part: Mapping[str, Any]) -> List[int]:
    """Return the campaign's numbers of a part's tasks, in the order of its array, which counts from 1."""
    return parse_task_list(str(part["campaign"]["indexes"]))


def places_of(parts: Sequence[Mapping[str, Any]], wanted: str) -> Dict[str, Dict[int, int]]:
    """Return where tasks of a campaign are: by part, the campaign's number of each of its array tasks.

    Args:
        parts: in the order of their creation; of a task that ran again the last attempt counts.
        wanted: numbers of the campaign as `--array` has them, "" for all.

    Raises:
        UsageError: there are no such tasks.
    """
    last = {index: (str(part["job_uuid"]), task) for part in parts for task, index in enumerate(indexes_of(part), 1)}
    chosen = parse_task_list(wanted) if wanted else sorted(last)
    unknown = [index for index in chosen if index not in last]
    if unknown:
        raise UsageError(
            f"the campaign has no task {format_task_list(unknown)}", remedy=f"It has {format_task_list(last)}"
        )
    places: Dict[str, Dict[int, int]] = {}
    for index in chosen:
        job_uuid, task = last[index]
        places.setdefault(job_uuid, {})[task] = index
    return places


def failed_indexes(parts: Sequence[Job]) -> List[int]:
    """Return the numbers of the tasks whose last attempt has ended, and not well.

    Args:
        parts: with all that the registry has of them, in the order of their creation.
    """
    failed: Dict[int, bool] = {}
    for part in parts:
        states = _states(part)
        for task, index in enumerate(indexes_of(part), 1):
            failed[index] = _has_failed(states.get(str(task), str(part["state"])))
    return [index for index, is_failed in failed.items() if is_failed]


def tally_of(parts: Sequence[Job]) -> Counter[str]:
    """Return how many tasks are in each state; those Slurm does not know yet stand where their part does.

    Args:
        parts: in short, in the order of their creation; of a task that ran again the last attempt counts.
    """
    places = places_of(parts, "")
    counted: Counter[str] = collections.Counter()
    for part in parts:
        known: Counter[str] = collections.Counter(part["counts"])
        number = len(indexes_of(part))
        known[str(part["state"])] += number - sum(known.values())
        counted += _without(known, number - len(places.get(str(part["job_uuid"]), {})))
    return counted


def _without(counted: Counter[str], again: int) -> Counter[str]:
    """Return counts without so many tasks that ran again: those are some that did not end well."""
    left = collections.Counter(counted)
    for word in sorted(counted, key=_has_failed, reverse=True):
        taken = min(again, left[word])
        left[word] -= taken
        again -= taken
    return +left


def _states(part: Job) -> Dict[str, str]:
    """Return the state of each array task that Slurm knows."""
    columns = part["job_status"]
    return {str(job_id).partition("_")[2]: str(state) for job_id, state in zip(columns["JobID"], columns["State"])}


def _has_failed(state: str) -> bool:
    word = parse_state(state)
    return state == GatewayState.ERROR or (word.ended and not is_success(word.word))
