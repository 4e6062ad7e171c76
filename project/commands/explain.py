"""`explain`: why a job is where it is, in one sentence, and what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from project.adapters.show.grid import nodes, seen
from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.core.explain.facts import Cluster
from project.core.printable import one_line
from project.options import JOB, output_options
from project.services.explain import explain_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from project.core.explain.verdict import Verdict

#: A sentence may tell of a command of the user's, and of a dozen tasks.
_LONGEST_CHARS = 2000


@click.command("explain", short_help="Say why a job is where it is, and what to do.")
@click.argument("uuids", type=JOB, nargs=-1, required=True, metavar="UUID...")
@output_options()
def command(uuids: Sequence[str], *, as_json: bool) -> None:
    """Join what is known of a job (states, reasons, exit code, what it printed, what it used) into one sentence.

    Of an array or a campaign there is one sentence for each kind of trouble, with the tasks that have it.
    """
    gateway = make_gateway()
    clusters = {
        str(cluster["name"]): Cluster(nodes(cluster), seen(cluster)) for cluster in gateway.registry.clusters()
    }
    told = {
        job_uuid: explain_job(gateway.registry, job_uuid, lambda name: clusters.get(name, Cluster()))
        for job_uuid in gateway.resolver().find_all(uuids)
    }
    if as_json:
        say(json.dumps([_as_json(job_uuid, verdicts) for job_uuid, verdicts in told.items()]))
        return
    for job_uuid, verdicts in told.items():
        for number, verdict in enumerate(verdicts):
            sentence = one_line(verdict.sentence, _LONGEST_CHARS)
            say(sentence if number else f"{job_uuid}  {sentence}")
            if verdict.remedy:
                say(f"→ {one_line(verdict.remedy, _LONGEST_CHARS)}")


def _as_json(job_uuid: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return all that is said in one sentence and one remedy, and each verdict by itself."""
    return {
        "job_uuid": job_uuid,
        "sentence": " ".join(verdict.sentence for verdict in verdicts),
        "remedy": "; ".join(dict.fromkeys(verdict.remedy for verdict in verdicts if verdict.remedy)),
        "cause": next((verdict.cause for verdict in verdicts if verdict.cause), ""),
        "verdicts": [verdict._asdict() for verdict in verdicts],
    }
