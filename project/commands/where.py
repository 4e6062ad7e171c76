"""`where`: which cluster a job would go to, and why, without submitting it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from project.adapters.modules import LocalModules
from project.adapters.show.ranking import as_document, show_ranking
from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.core.job import AUTO
from project.intake import read_request
from project.options import BEHAVIOUR, all_of, job_file_options
from project.services.choose import nowhere
from project.services.scout import candidates
from project.services.staging import run_staging

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@click.command("where", short_help="Say where a job would start first, and why; submits nothing.")
@all_of((*job_file_options(required=True), *BEHAVIOUR))
@click.option("--all", "all_clusters", is_flag=True, help="Every cluster for such jobs, not those of the file.")
def command(
    *,
    user_file: Path,
    modules_file: Path | None,
    settings: Sequence[str],
    all_clusters: bool,
    as_json: bool,
    **behaviour: Any,
) -> None:
    """Ask clusters, all at once, when they would start this job; run its staging modules first."""
    gateway = make_gateway(**behaviour)
    request, _ = run_staging(
        read_request(user_file, modules_file, settings, gateway.settings.clusters),
        modules=LocalModules(),
        prompter=gateway.prompter,
        view=gateway.view,
        job_uuid="where",
        history=gateway.registry.history,
    )
    spec = request.spec._replace(destination_clusters=[AUTO]) if all_clusters else request.spec
    ranked = gateway.scout().ranked(request, candidates(spec, gateway.registry.clusters()))
    if as_json:
        say(json.dumps([as_document(found) for found in ranked]))
    else:
        show_ranking(ranked)
    if not any(found.is_chosen for found in ranked):
        raise nowhere(ranked)
