"""`retrieve`: the results of a job come back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import make_gateway
from project.options import JOB, login_options, results_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from project.services.retrieve import Retrieved


@click.command("retrieve", short_help="Fetch the results of a job (the same as -r).")
@click.argument("uuid", type=JOB)
@results_options()
@login_options()
def command(uuid: str, **options: Any) -> None:
    """Fetch the outputs of a job that has ended, and what Slurm wrote for it, into ./UUID/."""
    run_retrieve(uuid, **options)


def run_retrieve(
    uuid: str,
    *,
    to: Path | None,
    overwrite: bool,
    settings: Sequence[str],
    assume_yes: bool,
    no_input: bool,
    as_json: bool,
) -> None:
    """Do what `retrieve` and `-r` promise."""
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    job_uuid = gateway.resolver().find(uuid)
    overrides = settings_alone(settings)
    retrieved = gateway.retriever().retrieve(job_uuid, to or Path(job_uuid), overrides, overwrite=overwrite)
    print_retrieved(retrieved, as_json=as_json)


def print_retrieved(retrieved: Retrieved, *, as_json: bool) -> None:
    """Say what came back, and what did not."""
    if as_json:
        document = {
            "job_uuid": retrieved.job_uuid,
            "outcome": retrieved.outcome,
            "folder": str(retrieved.folder),
            "files": retrieved.files,
            "missing": retrieved.missing,
        }
        say(json.dumps(document))
        return
    say(f"{retrieved.folder}  {len(retrieved.files)} files of a job that ended as {retrieved.outcome}")
    for pattern in retrieved.missing:
        say(f"missing: the job left no {pattern}", to_stderr=True)
