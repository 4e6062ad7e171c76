"""`submit`: a job file becomes a job in Slurm's queue."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from project.adapters import bundle
from project.adapters.key_text import key_problems
from project.adapters.modules import LocalModules
from project.adapters.source import sha256_of
from project.adapters.terminal import say
from project.adapters.user_input import LoadedFile, apply_settings, settings_alone
from project.bootstrap import Gateway, make_gateway
from project.commands.retrieve import print_retrieved
from project.core.errors import JobFailed, UsageError
from project.core.job_file.fields import SECRET_KEYS
from project.core.job_file.validate import validate
from project.core.layout import FOLDER, JobPaths
from project.core.slurm.limits import Limits
from project.core.slurm.script import Placement, render
from project.intake import read_request
from project.options import results_options, submit_options
from project.ports import Stage
from project.services.campaign.check import refuse, task_problems
from project.services.campaign.parts import part_size
from project.services.fate import learn_fate
from project.services.request import SubmitRequest
from project.services.staging import run_staging

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from project.services.dispatch import Submitted


@click.command("submit", short_help="Submit a job file (the same as -u).")
@submit_options(required=False)
@results_options("With --fetch: ")
def command(**options: Any) -> None:
    """Submit a job file: run its staging modules here, upload it, and see it into Slurm's queue."""
    if options["user_file"] is None and options["resume"] is None:
        raise UsageError("there is no job file", remedy="Name it: submit -u input.yml")
    run_submit(**options)


def run_submit(
    *,
    user_file: Path | None,
    modules_file: Path | None,
    settings: Sequence[str],
    resume: str | None,
    fresh: bool,
    dry_run: bool,
    wait: bool,
    fetch: bool,
    to: Path | None,
    overwrite: bool,
    detach: bool,
    assume_yes: bool,
    no_input: bool,
    as_json: bool,
) -> None:
    """Do what `submit` and `-u` promise."""
    if (to or overwrite) and not fetch:
        raise UsageError(
            "--to and --overwrite say where results go", remedy="Add --fetch, or fetch them later with -r"
        )
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    clusters = None if dry_run else gateway.settings.clusters
    request = None if user_file is None else _read(user_file, modules_file, settings, gateway, clusters)
    if request is not None and dry_run:
        _show_script(request, gateway, as_json=as_json)
        return
    if resume is None and request is not None and not fresh:
        resume = _unfinished(request, gateway)
    submitter = gateway.submitter()
    try:
        if resume is not None:
            secrets = _secrets(request, settings)
            submitted = submitter.resume(gateway.resolver().find(resume), secrets, detach=detach)
        else:
            assert request is not None  # noqa: S101 - the callers made sure that there is a file or a UUID
            submitted = submitter.submit(request, detach=detach)
    except KeyboardInterrupt:
        tell_how_to_go_on(request, gateway)
        raise
    if request is not None and user_file is not None and bundle.is_bundle(user_file):
        gateway.bundle_folder(sha256_of(user_file)).rmdir()
    print_submitted(submitted, as_json=as_json)
    if wait or fetch:
        folder = (to or Path(submitted.job_uuid)) if fetch else None
        _see_it_through(gateway, submitted.job_uuid, folder, overwrite=overwrite, as_json=as_json)


def _see_it_through(gateway: Gateway, job_uuid: str, folder: Path | None, *, overwrite: bool, as_json: bool) -> None:
    """Wait for a job's end, and fetch its results into a folder if there is one, whether it went well or not.

    Raises:
        JobFailed: it ended, and not well.
    """
    if folder is None:
        gateway.waiter().wait(job_uuid)
        return
    failure = None
    with contextlib.closing(gateway.login_ahead(job_uuid)) as ahead:
        try:
            gateway.waiter().wait(job_uuid, ahead.begin)
        except JobFailed as error:
            failure = error
        retrieved = gateway.retriever().retrieve(job_uuid, folder, {}, overwrite=overwrite, ahead=ahead)
    print_retrieved(retrieved, as_json=as_json)
    if failure is not None:
        raise failure


def _read(
    user_file: Path,
    modules_file: Path | None,
    settings: Sequence[str],
    gateway: Gateway,
    clusters: Mapping[str, Mapping[str, Any]] | None,
) -> SubmitRequest:
    """Return what a job file asks for, or a bundle, whose content is kept until the job is in the queue."""
    if not bundle.is_bundle(user_file):
        return read_request(user_file, modules_file, settings, clusters)
    if modules_file is not None:
        raise UsageError("a bundle has its modules in it", remedy="Leave -m out")
    folder = gateway.bundle_folder(sha256_of(user_file))
    bundle.open_bundle(user_file, folder)
    return request_of(bundle.read(folder), str(user_file), settings, clusters)


def request_of(
    job: bundle.Bundle, source: str, settings: Sequence[str], clusters: Mapping[str, Mapping[str, Any]] | None
) -> SubmitRequest:
    """Return the submission that a bundle is, with `--set` on top.

    Args:
        job: the bundle.
        source: what to call it in messages.
        settings: `KEY=VALUE` on top of its job file.
        clusters: what the user's own settings say of clusters; None where nobody will log in.

    Raises:
        InvalidDocument: with all problems.
    """
    loaded = LoadedFile(source, dict(job.user_input), Path())
    apply_settings(loaded, settings)
    spec = validate(loaded.document, source=source)
    refuse(source, key_problems(loaded.document, {}, clusters))
    if job.tasks:
        refuse(source, task_problems(spec, job.tasks))
    return SubmitRequest(
        source, loaded.document, spec, job.steps, job.module_files, job.job_path, job.repository, job.tasks
    )


def _secrets(request: SubmitRequest | None, settings: Sequence[str]) -> dict[str, Any]:
    """Return the secrets the user gave with this call."""
    if request is not None:
        return {key: value for key, value in request.user_input.items() if key in SECRET_KEYS}
    return {key: value for key, value in settings_alone(settings).items() if key in SECRET_KEYS}


def _unfinished(request: SubmitRequest, gateway: Gateway) -> str | None:
    """Return the UUID to resume if the same input broke off earlier and the user wants to go on with it."""
    record = gateway.records.unfinished(request.sha256)
    if record is None:
        return None
    begun = f"Submission {record['job_uuid']} of this file, begun {record['created_at']},"
    if record["stage"] == Stage.HANDED_OVER:  # that one did not break off, so this one is another
        state = learn_fate(record, gateway.registry, gateway.records) or "not known to the registry"
        gateway.view.note(f"{begun} was handed over to {record['cluster']} and is {state}; this is another one")
        return None
    job_uuid = str(record["job_uuid"])
    try:
        return job_uuid if gateway.prompter.confirm(f"{begun} broke off. Go on with it?") else None
    except UsageError as error:
        remedy = f"Go on with it by --resume {job_uuid} (or --yes), or submit anew by --fresh"
        raise UsageError(f"{begun} broke off, and nobody can be asked", remedy=remedy) from error


def tell_how_to_go_on(request: SubmitRequest | None, gateway: Gateway) -> None:
    """After Ctrl-C: name the submission, since the cluster may be at work on it already."""
    gateway.view.fail("left")
    record = request and gateway.records.unfinished(request.sha256)
    if record:
        uuid = record["job_uuid"]
        say(
            f"What has reached {record['cluster']} goes on there; follow it: python -m project --resume {uuid}",
            to_stderr=True,
        )


def _show_script(request: SubmitRequest, gateway: Gateway, *, as_json: bool) -> None:
    """Print the job script as known by now, the cluster's part left open; a key that is missing is no obstacle."""
    for problem in key_problems(request.user_input, {}, gateway.settings.clusters):
        gateway.view.note(problem.render(request.source))
    request, _ = run_staging(
        request,
        modules=LocalModules(),
        prompter=gateway.prompter,
        view=gateway.view,
        job_uuid="dry-run",
        history=list,
    )
    paths = JobPaths(f"<job_root>/{FOLDER}/jobs/<uuid>")
    spec, placement = request.spec, Placement("<of the cluster>")
    if spec.for_each is not None:
        spec = spec.of_part(part_size(spec.for_each, Limits(len(request.tasks), 0)))
        placement = placement._replace(table=paths.tasks, placeholders=list(request.tasks[0].values))
    text = render(spec, job_uuid="<uuid>", paths=paths, workdir=paths.work, placement=placement)
    as_document = {"script": text, "user_input": request.public_input, "tasks": len(request.tasks)}
    say(json.dumps(as_document) if as_json else text.rstrip())


def print_submitted(submitted: Submitted, *, as_json: bool) -> None:
    """Say what has been submitted, and how to fetch its results."""
    if as_json:
        say(json.dumps(asdict(submitted)))
        return
    where = f"Slurm job {submitted.slurm_job_id} on" if submitted.slurm_job_id else "being prepared on"
    say(f"{submitted.job_uuid}  {where} {submitted.cluster}")
    say(f"Fetch its results when it has ended: python -m project -r {submitted.job_uuid}", to_stderr=True)
