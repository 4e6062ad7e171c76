"""Options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import click.shell_completion

from project.config import PROFILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: What the shell sets when it asks for completions.
COMPLETION_VARIABLE = "_GRIDFERRY_COMPLETE"
_FILE = click.Path(dir_okay=False, path_type=Path)


def _task_list(_ctx: click.Context, _option: click.Parameter, given: str) -> str:
    from project.core.slurm.ids import parse_task_list  # noqa: PLC0415 - `--help` needs none of it

    try:
        parse_task_list(given or "0")
    except ValueError as error:
        raise click.BadParameter(f"{error}; write ids and ranges, such as 3-7,9") from error
    return given


class _Job(click.ParamType[str]):
    """A job's UUID, or its beginning; completed from this machine's records, without asking anybody."""

    name = "uuid"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Return the submissions of this machine that begin so."""
        from project.bootstrap import make_gateway  # noqa: PLC0415 - only a shell that completes needs it

        del ctx, param
        records = make_gateway().records
        return [click.shell_completion.CompletionItem(job_uuid) for job_uuid in records.beginning(incomplete)]


class _Word(click.ParamType[str]):
    """A word that is completed from what is known on this machine, without asking anybody; any other is taken, too.

    Args:
        name: what it is.
        known: returns those known.
    """

    def __init__(self, name: str, known: Callable[[], Iterable[str]]) -> None:
        self.name = name
        self._known = known

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Return the words that begin so."""
        del ctx, param
        words = sorted(word for word in self._known() if word.startswith(incomplete))
        return [click.shell_completion.CompletionItem(word) for word in words]


def _clusters() -> Iterable[str]:
    from project.bootstrap import make_gateway  # noqa: PLC0415 - only a shell that completes needs it

    gateway = make_gateway()
    return {*gateway.settings.clusters, *gateway.records.clusters()}


def _states() -> Iterable[str]:
    from project.core.slurm.states import SLURM_STATES  # noqa: PLC0415 - only a shell that completes needs it
    from project.core.states import GatewayState  # noqa: PLC0415 - see above

    return {word.lower() for word in (*SLURM_STATES, *(state.value for state in GatewayState))}


JOB = _Job()
CLUSTER = _Word("cluster", _clusters)
STATE = _Word("state", _states)
task_option = click.option(
    "--task",
    "tasks",
    default="",
    metavar="N",
    callback=_task_list,
    help="Of an array: this task, or several (3-7,9).",
)


def _keep_profile(context: click.Context, _option: click.Parameter, given: str | None) -> None:
    if given:
        context.meta[PROFILE] = given


OUTPUT = (
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    click.option(
        "--profile",
        metavar="NAME",
        expose_value=False,
        callback=_keep_profile,
        help="Which of the settings' profiles: another registry, say.",
    ),
)
BEHAVIOUR = (
    click.option(
        "--yes", "assume_yes", is_flag=True, help="Answer yes to questions (never to those about host keys)."
    ),
    click.option("--no-input", is_flag=True, help="Never ask; a question becomes an error that names the answer."),
    *OUTPUT,
)


def job_file_options(*, required: bool) -> tuple[Any, ...]:
    """Return the options that say what the job is."""
    return (
        click.option(
            "-u", "--user", "user_file", type=_FILE, required=required, metavar="FILE", help="The job file."
        ),
        click.option("-m", "--modules", "modules_file", type=_FILE, metavar="FILE", help="The modules file."),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="KEY=VALUE",
            help="Set a key of the job file (resources.duration=10m).",
        ),
    )


def submit_options(*, required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds the options of a submission."""
    options = (
        *job_file_options(required=required),
        click.option("--resume", type=JOB, metavar="UUID", help="Go on with a submission that broke off."),
        click.option("--fresh", is_flag=True, help="Submit anew, though an earlier try of the same file broke off."),
        click.option("--dry-run", is_flag=True, help="Validate, run staging, print the job script; send nothing."),
        click.option("--wait", is_flag=True, help="Wait for the job's end; the exit code tells how it went."),
        click.option("--fetch", is_flag=True, help="Wait, then fetch the results, however it went (as -r does)."),
        click.option(
            "--detach", is_flag=True, help="Return as soon as the cluster works on it, before it is queued."
        ),
        *BEHAVIOUR,
    )
    return all_of(options)


def output_options() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator for commands that only look: `--json`."""
    return all_of(OUTPUT)


def results_options(prefix: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator for where results go; `prefix` begins each help text."""
    to = click.option(
        "--to", type=click.Path(path_type=Path), metavar="DIR", help=f"{prefix}Where they go  [default: ./UUID]"
    )
    overwrite = click.option(
        "--overwrite", is_flag=True, help=f"{prefix}Replace files there that have other content; else they are kept."
    )
    return all_of((to, overwrite))


def login_options() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator for commands that log in to a job's cluster: `--set` and those of BEHAVIOUR."""
    given = click.option(
        "--set", "settings", multiple=True, metavar="KEY=VALUE", help="private_key or username to use."
    )
    return all_of((given, *BEHAVIOUR))


def behaviour_options() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds `--yes`, `--no-input` and `--json`."""
    return all_of(BEHAVIOUR)


def all_of(options: tuple[Any, ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds these options, in their order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
