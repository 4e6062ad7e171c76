"""`list` and `status` when the registry knows very many jobs, beside when it knows few."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from api_srv.dao.documents import open_documents
from bench.figures import Figure, ratios
from bench.rounds import seconds_to_answer, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.rig import Rig

_MANY = 100_000
_AT_A_TIME = 5_000


def lists(made: Rig, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures, first with one job in the registry, then with very many."""
    job_uuid = _submitted(made)
    contenders = {
        "list": made.client("list", answer=None),
        "status": made.client("status", job_uuid[:8], answer=None),
    }
    few = take_turns(contenders, rounds, progress=say)
    say(f"{_MANY} jobs are made")
    _multiply(made, job_uuid)
    many = take_turns(contenders, rounds, progress=say)
    return [
        figure
        for name in contenders
        for figure in (
            Figure(f"{name}: {_MANY} jobs in the registry", "ms", [1000 * value for value in many[name]]),
            ratios(f"{name}: {_MANY} jobs / a few", many[name], few[name], at_most=1.5),
        )
    ]


def _submitted(made: Rig) -> str:
    told = made.folder / "told"
    seconds_to_answer(
        made.openssh("{client} -u {package}/job.yml --fresh --no-input --json > {told}", None, told=told), 0
    )
    made.settle()
    return told.read_text().partition('"job_uuid": "')[2][:36]


def _multiply(made: Rig, job_uuid: str) -> None:
    """Store very many copies of a job, each with a UUID and a place in the order of its own."""
    documents = open_documents("", made.grid.folder / "registry")
    job = documents.get("jobs", job_uuid)
    assert job is not None  # noqa: S101 - it has just been submitted
    for begin in range(0, _MANY, _AT_A_TIME):
        documents.keep_newest("jobs", [_copy(job) for _ in range(begin, begin + _AT_A_TIME)])


def _copy(job: dict[str, Any]) -> dict[str, Any]:
    own = str(uuid.uuid4())
    return {**job, "_id": own, "sort": job["sort"].replace(job["_id"], own), "seq": 1}
