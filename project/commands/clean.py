"""`clean`: the folders of ended jobs on their clusters."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from project.adapters.show.jobs import JOB_COLUMNS
from project.adapters.show.table import show
from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import Gateway, make_gateway
from project.core.errors import UsageError
from project.core.messages import format_utc
from project.core.units import format_bytes, parse_duration_s
from project.options import JOB, login_options
from project.services.campaign.whole import whole

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("clean")
@click.argument("uuids", type=JOB, nargs=-1, metavar="[UUID]...")
@click.option("--older", metavar="AGE", help="Without UUIDs: only jobs submitted longer ago: 30d.")
@login_options()
def command(
    uuids: Sequence[str],
    *,
    older: str | None,
    settings: Sequence[str],
    assume_yes: bool,
    no_input: bool,
    as_json: bool,
) -> None:
    """Remove the folders of jobs on their clusters, after asking: those named, or all that ended and were fetched.

    A campaign's UUID stands for all of its parts. A job that has not ended, or of which the registry has not been
    told everything, keeps its folder. What the registry knows of a job stays.
    """
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    jobs = _chosen(gateway, uuids, older)
    if not jobs:
        say("nothing to clean", to_stderr=True)
    if not jobs or not _agreed(gateway, jobs, as_json=as_json):
        return
    done = list(gateway.cleaner().clean([str(job["job_uuid"]) for job in jobs], settings_alone(settings)))
    if as_json:
        say(json.dumps([one._asdict() for one in done]))
        return
    for one in done:
        say(f"{one.job_uuid}  {f'kept: {one.kept}' if one.kept else f'{format_bytes(one.freed_bytes)} freed'}")


def _chosen(gateway: Gateway, uuids: Sequence[str], older: str | None) -> list[dict[str, Any]]:
    if uuids:
        wanted = whole(gateway.registry, gateway.resolver().find_all(uuids))
        return [gateway.registry.job(job_uuid) for job_uuid in wanted]
    try:
        before = format_utc(time.time() - parse_duration_s(older)) if older else ""
    except ValueError as error:
        raise UsageError(str(error), remedy="Write an age such as 12h or 30d") from error
    return gateway.cleaner().candidates(before)


def _agreed(gateway: Gateway, jobs: Sequence[dict[str, Any]], *, as_json: bool) -> bool:
    """Show what would go and ask; results that nobody has fetched are named as such."""
    if not as_json:
        show(JOB_COLUMNS, jobs)
    lost = sum(not job["fetched_at"] for job in jobs)
    unfetched = f" Results that have not been fetched would be lost: of {lost} of {len(jobs)}." if lost else ""
    which = "the folder of this job on its cluster" if len(jobs) == 1 else f"the folders of these {len(jobs)} jobs"
    return gateway.prompter.confirm(f"Remove {which}?{unfetched}")
