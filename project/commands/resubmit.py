"""`resubmit`: a job once more, as it was or changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from project.adapters import bundle
from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import Gateway, make_gateway
from project.commands.submit import print_submitted, request_of, tell_how_to_go_on
from project.core.campaign import failed_indexes
from project.core.differences import differences
from project.core.errors import UsageError
from project.core.outcomes import task_rows
from project.core.slurm.ids import failed_tasks, format_task_list
from project.options import JOB, behaviour_options, set_option
from project.services.campaign.whole import parts_of
from project.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from project.core.differences import Difference
    from project.services.request import SubmitRequest

_ARRAY = "nbr_jobs_in_array"


@click.command("resubmit")
@click.argument("uuid", type=JOB)
@set_option("Change a key of its job file; null takes it out.")
@click.option(
    "--failed-tasks",
    "only_failed",
    is_flag=True,
    help="Of an array or campaign: only the tasks that did not end well.",
)
@behaviour_options()
def command(
    uuid: str, *, settings: Sequence[str], only_failed: bool, assume_yes: bool, no_input: bool, as_json: bool
) -> None:
    """Submit a job or a campaign again, as a new one with a UUID of its own; the registry keeps what it repeats.

    Modules and files are those of the first time, a repository is at the same commit; staging modules do not run
    again. What differs is shown.
    """
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    job_uuid = gateway.resolver().find(uuid)
    folder = gateway.bundle_folder(f"again-{job_uuid}")
    fetched = gateway.exporter().fetch(job_uuid, folder, settings_alone(settings))
    bundle.assemble(folder, *fetched)
    request = _request(gateway, fetched.job, bundle.read(folder), settings, only_failed=only_failed)
    changed = list(differences(fetched.sent["user_input"], request.public_input))
    for one in changed:
        gateway.view.note(_told(one))
    try:
        submitted = gateway.submitter().submit(request, detach=False)
    except KeyboardInterrupt:
        tell_how_to_go_on(request, gateway)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        differing = [one._asdict() for one in changed]
        say(json.dumps({**asdict(submitted), "resubmission_of": job_uuid, "differences": differing}))
    else:
        print_submitted(submitted, as_json=False)


def _request(
    gateway: Gateway, job: dict[str, Any], made_of: bundle.Bundle, settings: Sequence[str], *, only_failed: bool
) -> SubmitRequest:
    """Return the submission: the job as it was, then the failed tasks, then `--set`."""
    job_uuid = str(job["job_uuid"])
    record = gateway.records.load(job_uuid) or {}
    own = {"private_key": record["private_key"]} if record.get("private_key") else {}
    user_input = {**made_of.user_input, **own}
    if only_failed and made_of.tasks:
        made_of = made_of._replace(tasks=_failed_of_campaign(gateway, job_uuid, made_of.tasks))
    elif only_failed:
        user_input["resources"] = {**user_input.get("resources", {}), _ARRAY: _failed_array(job)}
    request = request_of(
        made_of._replace(user_input=user_input), f"job {job_uuid}", settings, gateway.settings.clusters
    )
    return replace(request, resubmission_of=job_uuid)


def _failed_of_campaign(gateway: Gateway, campaign: str, tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks that did not end well, with the numbers they have.

    Raises:
        UsageError: there are none.
    """
    parts = [gateway.registry.job(str(part["job_uuid"])) for part in parts_of(gateway.registry, campaign)]
    failed = set(failed_indexes(parts))
    if not failed:
        raise UsageError("no task of this campaign failed", remedy="`status` shows its tasks")
    data = tasks[0].files
    return [Task(task.values, data) for task in tasks if task.index in failed]


def _failed_array(job: dict[str, Any]) -> dict[str, Any]:
    """Return the array of the tasks that did not end well, with the throttle the job has.

    Raises:
        UsageError: there are none.
    """
    failed = failed_tasks((str(row["JobID"]), str(row["State"])) for row in task_rows(job))
    if not failed:
        raise UsageError("no array task of this job failed", remedy="`status` shows its tasks")
    given = (job["user_input"].get("resources") or {}).get(_ARRAY)
    at_once = given.get("at_once") if isinstance(given, dict) else str(given).partition("%")[2]
    return {"ids": format_task_list(failed), **({"at_once": int(at_once)} if at_once else {})}


def _told(one: Difference) -> str:
    shown = ["(not said)" if value is None else json.dumps(value) for value in (one.before, one.after)]
    return f"{one.key}: {shown[0]} → {shown[1]}"
