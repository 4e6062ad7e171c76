"""How well starts are foretold: what a cluster promised a job that looked for a place, and what came."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from project.core.messages import is_utc, parse_utc
from project.core.slurm.states import Phase, parse_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api_srv.dao.ports import Document

#: So many of the last starts are told of: enough to see a habit, few enough to follow a change.
LAST = 20


def start_of(job: Document, state: str, since: str) -> Document | None:
    """Return what is kept of a start, None where none was foretold or this is no start."""
    foretold = job.get("predicted_start")
    if not foretold or parse_state(state).phase is not Phase.RUNNING or not is_utc(since):
        return None
    late_s = round(parse_utc(since) - parse_utc(foretold))
    return {"_id": job["job_uuid"], "cluster": job["cluster"], "at": since, "late_s": late_s}


def summary(starts: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return how many starts there are and how much later than foretold they came (negative: earlier)."""
    if not starts:
        return None
    return {"jobs": len(starts), "median_late_s": round(median(start["late_s"] for start in starts))}
