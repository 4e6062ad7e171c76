"""`extend`: more tasks for a campaign, or those that failed once more."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import make_gateway
from project.core.errors import UsageError
from project.intake import read_more
from project.options import JOB, login_options

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("extend", short_help="Add tasks to a campaign, or run its failed ones again.")
@click.argument("uuid", type=JOB)
@click.argument("files", type=click.Path(), nargs=-1, metavar="[FILE]...")
@click.option("--failed", is_flag=True, help="Instead of new tasks: those that did not end well, once more.")
@login_options()
def command(
    uuid: str,
    *,
    files: Sequence[str],
    failed: bool,
    settings: Sequence[str],
    assume_yes: bool,
    no_input: bool,
    as_json: bool,
) -> None:
    """Add a task for each data file (or each line of a table) that the campaign does not have yet.

    The campaign may be running or have ended. Name files as in its job file, from the same folder. With --failed the
    tasks that did not end well run again, alone, and their new attempt counts.
    """
    if failed == bool(files):
        raise UsageError("there is nothing to add", remedy="Name data files (or a table), or give --failed alone")
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    job_uuid, given = gateway.resolver().find(uuid), settings_alone(settings)
    extender = gateway.extender()
    submitted = (
        extender.again(job_uuid, given)
        if failed
        else extender.extend(job_uuid, lambda each: read_more(each, files), given)
    )
    if as_json:
        say(json.dumps(submitted and asdict(submitted)))
    elif submitted is None:
        say("nothing to add: the campaign has all of these already" if files else "nothing to run again")
    else:
        say(f"{submitted.job_uuid}  added to the campaign on {submitted.cluster}")
