"""Clusters in the order in which they suit a job, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.adapters.show import words
from project.adapters.show.table import Column, show
from project.core.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from project.core.ranking import Ranked


def _starts(found: Ranked) -> str:
    if not found.candidate.is_usable:
        return ""
    starts_in_s = found.candidate.starts_in_s
    if starts_in_s is None:
        return "not known"
    return "now" if starts_in_s < 1 else f"in {format_duration(starts_in_s)}"


def _free(found: Ranked) -> str:
    candidate = found.candidate
    return "" if candidate.problem else f"{candidate.free_slots} for {candidate.wanted_slots}"


RANKING_COLUMNS = (
    Column("", "`*`: the job goes there.", lambda found: "*" if found.is_chosen else "", lambda _: "green"),
    Column("CLUSTER", "Its name.", lambda found: found.candidate.cluster),
    Column(
        "ANSWERS",
        "Whether it could be asked without a question to you.",
        lambda found: "no" if found.candidate.problem else "yes",
        lambda found: "red" if found.candidate.problem else "",
        leaves=3,
    ),
    Column("WOULD START", "When Slurm says it would start the job.", _starts),
    Column(
        "STARTS",
        "How starts came there, compared with what was foretold: the median of the last ones, and how many.",
        lambda found: words.punctuality(found.candidate.foretold),
        leaves=4,
    ),
    Column("FREE", "Processes of this size that fit on what is idle, for how many it has.", _free, leaves=2),
    Column(
        "WAIT",
        "Pending jobs of everybody.",
        lambda found: "" if found.candidate.problem else str(found.candidate.pending_jobs),
        leaves=1,
        right=True,
    ),
    Column("WHY", "Why it stands there, or what is in the way, in Slurm's words.", lambda found: found.reason),
)


def show_ranking(ranked: Sequence[Ranked]) -> None:
    """Show clusters in their order, as a result."""
    show(RANKING_COLUMNS, ranked)


def show_as_news(ranked: Sequence[Ranked]) -> None:
    """Show clusters in their order, while a job is submitted."""
    show(RANKING_COLUMNS, ranked, to_stderr=True)


def as_document(found: Ranked) -> dict[str, Any]:
    """Return a cluster in its place as JSON."""
    return {**found.candidate._asdict(), "reason": found.reason, "chosen": found.is_chosen}
