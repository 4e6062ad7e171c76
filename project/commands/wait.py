"""`wait`: until jobs have ended; the exit code is theirs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from project.adapters.show.jobs import standing
from project.adapters.show.table import screen_width
from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.core.errors import UsageError
from project.core.units import parse_duration_s
from project.options import JOB, output_options

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("wait", short_help="Wait for jobs to end; exits with the job's own exit code.")
@click.argument("uuids", type=JOB, nargs=-1, required=True, metavar="UUID...")
@click.option("--timeout", metavar="TIME", help="Wait at most so long (10m, 2h); exit code 12 then.")
@output_options()
def command(uuids: Sequence[str], *, timeout: str | None, as_json: bool) -> int:
    """Wait until nothing is left to do for these jobs, and say how each ended; a terminal shows how far they are.

    A campaign is told as one; with --json its parts' ends stand in it.

    \b
    Exit code: 0 if all ended well; else, of the first that did not, in the order given,
      its own exit code (of an array or a campaign: of the task that ended worst),
      128 and the number of the signal that ended it,
      13 if there is neither: cancelled before it ran, out of time, an error before Slurm had it.
    """  # noqa: D301 - \b is click's mark for text that is not wrapped
    gateway = make_gateway(quiet=screen_width(of_stderr=True) is None)
    wanted = gateway.resolver().find_all(uuids)
    gateway.view.begin("wait")
    try:
        gateway.watcher().watch(wanted, lambda jobs: gateway.view.tasks(*standing(jobs)), _limit_s(timeout))
    except BaseException:
        gateway.view.fail("left")
        raise
    gateway.view.end()
    told = [gateway.ends().of(job_uuid) for job_uuid in wanted]
    if as_json:
        say(json.dumps([end.as_json() for end in told]))
    else:
        for end in told:
            say(f"{end.job_uuid}  {end.outcome}  {end.exit_code}{f'  {end.message}' if end.message else ''}")
    return next((end.exit_code for end in told if end.exit_code), 0)


def _limit_s(timeout: str | None) -> float | None:
    try:
        return None if timeout is None else parse_duration_s(timeout)
    except ValueError as error:
        raise UsageError(str(error), remedy="Write a time such as 10m or 2h") from error
