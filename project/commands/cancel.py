"""`cancel`: Slurm is asked to end jobs, and then whether it did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import Gateway, make_gateway
from project.core.campaign import places_of
from project.core.errors import UsageError
from project.core.slurm.ids import format_task_list
from project.options import JOB, login_options, task_option
from project.services.campaign.whole import campaigns_among, parts_of, whole
from project.services.cancel import judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@click.command("cancel", short_help="Cancel jobs or array tasks, and see that they died.")
@click.argument("uuids", type=JOB, nargs=-1, required=True, metavar="UUID...")
@task_option
@login_options()
def command(
    uuids: Sequence[str], *, tasks: str, settings: Sequence[str], assume_yes: bool, no_input: bool, as_json: bool
) -> None:
    """Cancel jobs, or with --task some tasks of one array, and wait until Slurm's queue shows that they are gone.

    A campaign's UUID stands for all of its tasks, which --task names by the campaign's numbers. A job that Slurm does
    not have yet does not get there. What does not die is told (exit code 17), and `list` and `info` flag it until it
    has ended.
    """
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    wanted = gateway.resolver().find_all(uuids)
    if tasks and len(wanted) > 1:
        raise UsageError("--task goes with a single job", remedy="Cancel tasks of one job at a time")
    results = []
    for jobs, concerned in _chosen(gateway, wanted, tasks):
        for result in gateway.canceller().cancel(jobs, concerned, settings_alone(settings)):
            results.append(result)
            if not as_json:
                say("  ".join(part for part in result if part))
    if as_json:
        say(json.dumps([result._asdict() for result in results]))
    judge(results)


def _chosen(gateway: Gateway, wanted: Sequence[str], tasks: str) -> Iterator[tuple[Sequence[str], str]]:
    """Yield jobs and the array tasks of them to cancel, "" for all; a campaign's UUID stands for all of its parts."""
    if tasks and campaigns_among(gateway.registry, wanted):
        places = places_of(parts_of(gateway.registry, wanted[0]), tasks)
        yield from (([part], format_task_list(concerned)) for part, concerned in places.items())
    else:
        yield whole(gateway.registry, wanted), tasks
