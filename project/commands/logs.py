"""`logs`: what a job printed, or prints."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from project.adapters.show.output import JobOutput
from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import make_gateway
from project.core.campaign import places_of
from project.core.slurm.ids import format_task_list
from project.options import JOB, login_options, task_option
from project.services.campaign.whole import campaigns_among, parts_of
from project.services.logs import LogWish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from project.bootstrap import Gateway
    from project.ports import LogText

_PAST_ALL = -1


@click.command("logs", short_help="Print what a job printed; -f follows it live.")
@click.argument("uuid", type=JOB)
@click.option(
    "-f", "--follow", is_flag=True, help="Go on until the job has ended, whatever happens to the connection."
)
@task_option
@click.option("--err", is_flag=True, help="What it wrote on standard error, instead of standard output.")
@click.option("--last", type=click.IntRange(0), metavar="LINES", help="Only so many lines of what is there already.")
@login_options()
def command(
    uuid: str,
    *,
    follow: bool,
    tasks: str,
    err: bool,
    last: int | None,
    settings: Sequence[str],
    assume_yes: bool,
    no_input: bool,
    as_json: bool,
) -> None:
    """Print what a job wrote on standard output, byte for byte; on a terminal without what would command it.

    Of a campaign all parts come, one after the other, and tasks have the campaign's numbers.
    With --json each piece is a line: file, task, stream and text.
    """
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input, quiet=True)
    wish = LogWish(("err",) if err else ("out",), tasks, follow, _PAST_ALL if last is None else last)
    output = JobOutput(apart="lines" if follow else "headings")
    write = write_json if as_json else output.write
    for job_uuid, places in _sources(gateway, gateway.resolver().find(uuid), tasks):
        own = replace(wish, tasks=format_task_list(places)) if places else wish
        end = gateway.log_reader().read(job_uuid, own, settings_alone(settings), _renumbered(write, places))
        output.finish()
        if not end.ended:
            say(f"{job_uuid} is {end.state or 'being prepared'}; -f follows it", to_stderr=True)


def _sources(gateway: Gateway, job_uuid: str, tasks: str) -> Iterator[tuple[str, Mapping[int, int]]]:
    """Yield the jobs to read, each with its array tasks that are wanted and their numbers in the campaign."""
    if campaigns_among(gateway.registry, [job_uuid]):
        yield from places_of(parts_of(gateway.registry, job_uuid), tasks).items()
    else:
        yield job_uuid, {}


def _renumbered(write: Callable[[LogText], None], places: Mapping[int, int]) -> Callable[[LogText], None]:
    """Return what writes pieces under their tasks' numbers in the campaign."""
    names = {str(task): str(index) for task, index in places.items()}
    return lambda text: write(text._replace(task=names.get(text.task, text.task)))


def write_json(text: LogText) -> None:
    """Print a piece of what a job printed as a line of JSON."""
    document: dict[str, Any] = {"file": text.name, "task": text.task, "stream": text.stream}
    say(json.dumps({**document, "text": text.data.decode(errors="replace")}))
