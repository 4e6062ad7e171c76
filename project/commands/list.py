"""`list`: the user's jobs, the newest first, narrowed and paged."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from project.adapters.show.jobs import JOB_COLUMNS
from project.adapters.show.table import show
from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.core.errors import UsageError
from project.core.messages import format_utc
from project.core.problems import nearest
from project.core.slurm.states import Phase, parse_state
from project.core.units import parse_duration_s
from project.options import CLUSTER, JOB, STATE, known_states, output_options
from project.services.listing import Page, list_jobs

_SCREENFUL = 25


@click.command("list", short_help="List your jobs, the newest first.")
@click.option(
    "--state", type=STATE, default="", metavar="WORD", help="Only these: a state (running) or an end (failed)."
)
@click.option("--active", "standing", flag_value="false", help="Only those that have not ended.")
@click.option("--ended", "standing", flag_value="true", help="Only those that have.")
@click.option("--cluster", type=CLUSTER, default="", metavar="NAME", help="Only those of this cluster.")
@click.option(
    "--label", default="", metavar="TEXT", help="Only those with this `job_name`; TEXT* for all that begin so."
)
@click.option("--campaign", type=JOB, default="", metavar="UUID", help="Only the parts of this campaign.")
@click.option("--newer", metavar="AGE", help="Only those submitted since: 30m, 2d.")
@click.option("--older", metavar="AGE", help="Only those submitted before.")
@click.option("--limit", type=click.IntRange(1), default=_SCREENFUL, show_default=True, help="How many.")
@click.option("--after", type=JOB, default="", metavar="UUID", help="Go on after this job: the next page.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@output_options()
def command(
    *,
    standing: str | None,
    newer: str | None,
    older: str | None,
    limit: int,
    everything: bool,
    as_json: bool,
    **narrow: Any,
) -> None:
    """List your jobs, the newest first."""
    gateway = make_gateway()
    wanted = {**narrow, "ended": standing or "", "since": _ago(newer), "before": _ago(older)}
    for job in ("after", "campaign"):
        wanted[job] = wanted[job] and gateway.resolver().find(wanted[job])
    page = list_jobs(gateway.registry, wanted, None if everything else limit)
    if as_json:
        say(json.dumps(page.jobs))
    else:
        _print(page)
        if not page.jobs and narrow["state"]:
            _doubt(narrow["state"])


def _ago(age: str | None) -> str:
    """Return the time that was so long ago, "" for no age."""
    if not age:
        return ""
    try:
        return format_utc(time.time() - parse_duration_s(age))
    except ValueError as error:
        raise UsageError(str(error), remedy="Write an age such as 30m, 12h or 2d") from error


def _doubt(state: str) -> None:
    """Say so where a state that matches nothing may be a slip; a newer Slurm may have words of its own."""
    known = known_states()
    if state.lower() not in known and parse_state(state.upper()).phase is Phase.UNKNOWN:
        likely = nearest(state.lower(), known)
        say(f"No state {state} is known here{f'; did you mean {likely}?' if likely else ''}", to_stderr=True)


def _print(page: Page) -> None:
    if not page.jobs:
        say("no jobs", to_stderr=True)
        return
    show(JOB_COLUMNS, page.jobs)
    if page.more:
        say(f"There are more: --after {page.jobs[-1]['job_uuid'][:8]}, or --all", to_stderr=True)
