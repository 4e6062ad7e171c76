"""`cancel`: Slurm is asked to end jobs, and then whether it did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import make_gateway
from project.core.errors import UsageError
from project.options import JOB, login_options, task_option
from project.services.cancel import judge

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("cancel", short_help="Cancel jobs or array tasks, and see that they died.")
@click.argument("uuids", type=JOB, nargs=-1, required=True, metavar="UUID...")
@task_option
@login_options()
def command(
    uuids: Sequence[str], *, tasks: str, settings: Sequence[str], assume_yes: bool, no_input: bool, as_json: bool
) -> None:
    """Cancel jobs, or with --task some tasks of one array, and wait until Slurm's queue shows that they are gone.

    A job that Slurm does not have yet does not get there. What does not die is told (exit code 17), and `list` and
    `info` flag it until it has ended.
    """
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    wanted = gateway.resolver().find_all(uuids)
    if tasks and len(wanted) > 1:
        raise UsageError("--task goes with a single job", remedy="Cancel tasks of one job at a time")
    results = []
    for result in gateway.canceller().cancel(wanted, tasks, settings_alone(settings)):
        results.append(result)
        if not as_json:
            say("  ".join(part for part in result if part))
    if as_json:
        say(json.dumps([result._asdict() for result in results]))
    judge(results)
