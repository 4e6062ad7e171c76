"""Options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import click.shell_completion

from project.config import PROFILE
from project.core.errors import GridferryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from project.bootstrap import Gateway

#: What the shell sets when it asks for completions.
COMPLETION_VARIABLE = "_GRIDFERRY_COMPLETE"
#: Keys of a job file that say how to log in.
_HOW_TO_LOG_IN = ("private_key", "username")
_FILE = click.Path(dir_okay=False, path_type=Path)


def _task_list(_ctx: click.Context, _option: click.Parameter, given: str) -> str:
    from project.core.slurm.ids import parse_task_list  # noqa: PLC0415 - `--help` needs none of it

    try:
        parse_task_list(given or "0")
    except ValueError as error:
        raise click.BadParameter(f"{error}; write ids and ranges, such as 3-7,9") from error
    return given


class _Word(click.ParamType[str]):
    """A word that is completed from what is known on this machine, without asking anybody; any other is taken, too.

    Args:
        name: what it is.
        known: returns those known that begin so, each with a line of help or "".
    """

    def __init__(self, name: str, known: Callable[[str], Mapping[str, str]]) -> None:
        self.name = name
        self._known = known

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Return the words that begin so; none where the settings cannot be read, as the command itself will tell."""
        del param
        try:
            with ctx.scope(cleanup=False):  # `--profile` may stand before the word
                known = self._known(incomplete)
        except GridferryError:
            return []
        return [
            click.shell_completion.CompletionItem(word, help=known[word] or None)
            for word in sorted(known)
            if word.startswith(incomplete)
        ]


def _gateway() -> Gateway:
    from project.bootstrap import make_gateway  # noqa: PLC0415 - only a shell that completes needs it

    return make_gateway()


def _jobs(beginning: str) -> Mapping[str, str]:
    return dict.fromkeys(_gateway().records.beginning(beginning), "")


def _clusters(_beginning: str) -> Mapping[str, str]:
    gateway = _gateway()
    return dict.fromkeys((*gateway.settings.clusters, *gateway.records.clusters()), "")


def _profiles(_beginning: str) -> Mapping[str, str]:
    return dict.fromkeys(_gateway().settings.profiles, "")


def known_states() -> Mapping[str, str]:
    """Return the words for states, Slurm's and ours, in small letters, each with no help."""
    from project.core.slurm.states import SLURM_STATES  # noqa: PLC0415 - most commands need none of it
    from project.core.states import GatewayState  # noqa: PLC0415 - see above

    return dict.fromkeys((word.lower() for word in (*SLURM_STATES, *(state.value for state in GatewayState))), "")


def _keys(_beginning: str) -> Mapping[str, str]:
    """Return the keys of a job file, each with its `=`."""
    from project.core.job_file.fields import FIELDS, NEVER_ON_COMMAND_LINES  # noqa: PLC0415 - see above

    return {f"{key}=": field.text for key, field in FIELDS.items() if key not in NEVER_ON_COMMAND_LINES}


def _login_keys(beginning: str) -> Mapping[str, str]:
    return {key: text for key, text in _keys(beginning).items() if key.rstrip("=") in _HOW_TO_LOG_IN}


def _about_login(_ctx: click.Context, _option: click.Parameter, given: Sequence[str]) -> Sequence[str]:
    """Refuse keys that would have no effect."""
    for setting in given:
        key = setting.partition("=")[0].strip()
        if key not in (*_HOW_TO_LOG_IN, "passphrase"):  # the last is refused with a reason of its own
            raise click.BadParameter(f"{key} has no effect here; it may be {' or '.join(_HOW_TO_LOG_IN)}")
    return given


JOB = _Word("uuid", _jobs)
CLUSTER = _Word("cluster", _clusters)
STATE = _Word("state", lambda _beginning: known_states())
_PROFILE_NAME = _Word("profile", _profiles)
_JOB_FILE_KEY = _Word("key=value", _keys)
_LOGIN_KEY = _Word("key=value", _login_keys)
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
        type=_PROFILE_NAME,
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


def set_option(text: str, kind: click.ParamType[str] = _JOB_FILE_KEY, **more: Any) -> Callable[..., Any]:
    """Return `--set`; `text` says what may be set, `kind` completes it."""
    return click.option("--set", "settings", type=kind, multiple=True, metavar="KEY=VALUE", help=text, **more)


def job_file_options(*, required: bool) -> tuple[Any, ...]:
    """Return the options that say what the job is."""
    return (
        click.option(
            "-u", "--user", "user_file", type=_FILE, required=required, metavar="FILE", help="The job file."
        ),
        click.option("-m", "--modules", "modules_file", type=_FILE, metavar="FILE", help="The modules file."),
        set_option("Set a key of the job file (resources.duration=10m)."),
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
    given = set_option("private_key or username to use.", _LOGIN_KEY, callback=_about_login)
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
