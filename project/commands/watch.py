"""`watch`: a live table of jobs until all have ended, then a summary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from project.adapters.show.jobs import sum_up
from project.adapters.show.live import LiveJobs
from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.options import JOB, output_options

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("watch", short_help="Watch jobs until all have ended, then sum up.")
@click.argument("uuids", type=JOB, nargs=-1, metavar="[UUID]...")
@output_options()
def command(uuids: Sequence[str], *, as_json: bool) -> None:
    """Watch these jobs, or all of yours that have not ended, until the last has; then sum up.

    Where there is no terminal, each change is a line. Ctrl-C ends the watching and nothing else.
    """
    gateway = make_gateway()
    wanted = gateway.resolver().find_all(uuids)
    if as_json:
        jobs = gateway.watcher().watch(wanted, lambda _: None)
        say(json.dumps(jobs))
        return
    with LiveJobs() as live:
        jobs = gateway.watcher().watch(wanted, live.show)
    for line in sum_up(jobs) if jobs else ["no jobs"]:
        say(line)
