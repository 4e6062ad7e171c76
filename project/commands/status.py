"""`status`: how jobs stand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from project.adapters.show import campaign
from project.adapters.show.jobs import (
    EVENT_COLUMNS,
    JOB_COLUMNS,
    TASK_COLUMNS,
    facts,
    last_words,
    worth_showing,
)
from project.adapters.show.table import listed, show
from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.core.outcomes import last_attempts, task_rows
from project.options import JOB, output_options
from project.services.campaign.whole import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

_FEW_TASKS = 20


@click.command("status", short_help="Say how jobs stand: tasks, reasons, what happened when.")
@click.argument("uuids", type=JOB, nargs=-1, required=True, metavar="UUID...")
@click.option(
    "--tasks", "all_tasks", is_flag=True, help="Every array task; else of many only those that are not COMPLETED."
)
@output_options()
def command(uuids: Sequence[str], *, all_tasks: bool, as_json: bool) -> None:
    """Say how jobs stand; of a single one, or a campaign, also its tasks and what happened."""
    gateway = make_gateway()
    wanted = gateway.resolver().find_all(uuids)
    jobs = [gateway.registry.job(job_uuid) for job_uuid in whole(gateway.registry, wanted)]
    most_tasks = None if all_tasks else _FEW_TASKS
    if as_json:
        say(json.dumps(jobs))
    elif len(jobs) == 1:
        _print(jobs[0], most_tasks)
    else:
        if len(wanted) == 1:
            _print_facts(campaign.facts(jobs))
            _print_tasks(last_attempts(jobs), most_tasks)
            say("")
        show(JOB_COLUMNS, jobs)


def _print(job: dict[str, Any], most_tasks: int | None) -> None:
    _print_facts(facts(job))
    _print_tasks(task_rows(job), most_tasks)
    say("")
    show(EVENT_COLUMNS, job["timeline"])
    for line in last_words(job).splitlines():
        say(f"  | {line}")


def _print_facts(said: Sequence[tuple[str, str]]) -> None:
    for line in listed(said):
        say(line)


def _print_tasks(rows: Sequence[dict[str, Any]], most: int | None) -> None:
    shown = worth_showing(rows, len(rows) if most is None else most)
    if shown:
        say("")
        show(TASK_COLUMNS, shown)
    if len(shown) < len(rows):
        told = f"{len(shown)} of {len(rows)} tasks shown" if shown else f"All {len(rows)} tasks ended well"
        say(f"{told}; --tasks shows all", to_stderr=True)
