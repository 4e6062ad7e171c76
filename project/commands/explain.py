"""`explain`: why a job is where it is, in one sentence, and what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from project.adapters.show.grid import nodes, seen
from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.core.explain.facts import gather
from project.core.explain.verdict import Verdict, explain
from project.core.job_file.validate import validate
from project.core.printable import one_line
from project.options import output_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@click.command("explain", short_help="Say why a job is where it is, and what to do.")
@click.argument("uuids", nargs=-1, required=True, metavar="UUID...")
@output_options()
def command(uuids: Sequence[str], *, as_json: bool) -> None:
    """Join what is known of a job (states, reasons, exit code, what it printed, what it used) into one sentence."""
    gateway = make_gateway()
    clusters = {str(cluster["name"]): cluster for cluster in gateway.registry.clusters()}
    told = {}
    for job_uuid in gateway.resolver().find_all(uuids):
        job = gateway.registry.job(job_uuid)
        told[job_uuid] = _explained(job, clusters.get(str(job["destination_cluster"]["name"]), {}))
    if as_json:
        say(json.dumps([{"job_uuid": job_uuid, **verdict._asdict()} for job_uuid, verdict in told.items()]))
        return
    for job_uuid, verdict in told.items():
        say(f"{job_uuid}  {one_line(verdict.sentence)}")
        if verdict.remedy:
            say(f"→ {one_line(verdict.remedy)}")


def _explained(job: Mapping[str, Any], cluster: Mapping[str, Any]) -> Verdict:
    spec = validate(job["user_input"], source="the job file as the registry has it")
    return explain(gather(job, spec, nodes(cluster), seen(cluster)), str(job["job_uuid"]))
