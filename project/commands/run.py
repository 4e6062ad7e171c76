"""`run`: a command, on a cluster, as if it were here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from project.adapters.show.output import JobOutput
from project.adapters.terminal import say
from project.adapters.user_input import LoadedFile, apply_settings
from project.bootstrap import Gateway, make_gateway
from project.commands.logs import write_json
from project.commands.submit import print_submitted, tell_how_to_go_on
from project.core.command_job import CommandWish, job_file
from project.core.job_file.validate import validate
from project.options import CLUSTER, behaviour_options, set_option
from project.services.request import SubmitRequest
from project.services.run import default_cluster

if TYPE_CHECKING:
    from collections.abc import Sequence

_SOURCE = "the command line"
_COUNT = click.IntRange(1)


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.option("-n", "--nodes", type=_COUNT, default=1, metavar="NODES", help="On so many nodes.  [default: 1]")
@click.option(
    "-p", "--per-node", type=_COUNT, default=1, metavar="PROCS", help="So many processes on each.  [default: 1]"
)
@click.option("--cpus", type=_COUNT, metavar="N", help="CPUs of each process.")
@click.option("--mem", "memory", metavar="SIZE", help="Memory of each node: 4G.  [default: `memory` of the settings]")
@click.option("-t", "--time", "limit", metavar="TIME", help="Time limit: 10m, 2h.  [default: `time` of the settings]")
@click.option(
    "--cluster", type=CLUSTER, metavar="NAME", help="Where.  [default: `cluster` of the settings, or the only one]"
)
@click.option("--name", default="", metavar="TEXT", help="Its label in lists.  [default: the command's name]")
@set_option("Any key of a job file.")
@click.option("--detach", is_flag=True, help="Return once it is in the queue; mail tells how it goes.")
@behaviour_options()
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def command(words: Sequence[str], *, as_json: bool, detach: bool, **options: Any) -> int:
    """Run a command on a cluster: what it prints comes here as it comes, and its exit code is this one's.

    It starts in an empty folder and reads no input; several processes are started by srun. Ctrl-C asks whether to
    cancel it (--yes: without asking). Exit code: as `wait` has it. With --json each piece is a line, as in `logs`.
    """
    gateway = make_gateway(assume_yes=options.pop("assume_yes"), no_input=options.pop("no_input"))
    request = _request(gateway, words, detach=detach, **options)
    try:
        submitted = gateway.submitter().submit(request, detach=False)
    except KeyboardInterrupt:
        tell_how_to_go_on(request, gateway)
        raise
    if detach or as_json:
        print_submitted(submitted, as_json=as_json)
    else:
        say(f"{submitted.job_uuid}  Slurm job {submitted.slurm_job_id} on {submitted.cluster}", to_stderr=True)
    if detach:
        return 0
    output = JobOutput(both=True)
    try:
        return gateway.runner().stay(submitted.job_uuid, write_json if as_json else output.write)
    finally:
        output.finish()


def _request(
    gateway: Gateway,
    words: Sequence[str],
    *,
    detach: bool,
    nodes: int,
    per_node: int,
    cpus: int | None,
    memory: str | None,
    limit: str | None,
    cluster: str | None,
    name: str,
    settings: Sequence[str],
) -> SubmitRequest:
    """Return the job that the command is.

    Raises:
        InvalidDocument: with all problems of the options.
    """
    usual = gateway.settings.run
    wish = CommandWish(words, nodes, per_node, cpus, memory or usual["memory"], limit or usual["time"], name)
    where = default_cluster(cluster or usual["cluster"], gateway.registry.clusters())
    who = gateway.who_there(where, {"username": usual["username"]})
    document = {
        **{key: value for key, value in who.items() if value},
        "user_mail": usual["mail"] or gateway.registry.account()["mail"],
        "destination_cluster": where,
        "notify": ["queued", "started", "ended", "errors"] if detach else "none",
        **job_file(wish),
    }
    loaded = LoadedFile(_SOURCE, document, folder=Path())
    apply_settings(loaded, settings)
    spec = validate(loaded.document, source=_SOURCE)
    return SubmitRequest(_SOURCE, loaded.document, spec, [], {}, None)
