"""The command line: parse, call one command, map errors to a message and an exit code."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any, NamedTuple

import click

from project.config import wants_colour
from project.core.errors import ExitCode, GridferryError
from project.core.printable import harmless
from project.core.problems import nearest
from project.options import COMPLETION_VARIABLE, JOB, results_options, submit_options


class CommandEntry(NamedTuple):
    """A sub-command: where its code is (imported only when it is called) and one line of help."""

    module: str
    text: str


COMMANDS = {
    "submit": CommandEntry("project.commands.submit", "Submit a job file (the same as -u)."),
    "retrieve": CommandEntry("project.commands.retrieve", "Fetch the results of a job (the same as -r)."),
    "run": CommandEntry("project.commands.run", "Run a command on a cluster as if it were here."),
    "list": CommandEntry("project.commands.list", "List your jobs, the newest first."),
    "status": CommandEntry("project.commands.status", "Say how jobs stand: tasks, reasons, what happened when."),
    "watch": CommandEntry("project.commands.watch", "Watch jobs until all have ended, then sum up."),
    "wait": CommandEntry("project.commands.wait", "Wait for jobs to end; exits with the job's own exit code."),
    "logs": CommandEntry("project.commands.logs", "Print what a job printed; -f follows it live."),
    "cancel": CommandEntry("project.commands.cancel", "Cancel jobs or array tasks, and see that they died."),
    "resubmit": CommandEntry("project.commands.resubmit", "Submit a job again, changed or not, or its failed tasks."),
    "export": CommandEntry("project.commands.export", "Write a job into one file that `submit` takes, anywhere."),
    "clean": CommandEntry("project.commands.clean", "Remove the folders of ended jobs on their clusters."),
    "extend": CommandEntry("project.commands.extend", "Add tasks to a campaign, or run its failed ones again."),
    "info": CommandEntry("project.commands.info", "Show the whole grid: clusters, nodes, what is used and free."),
    "where": CommandEntry("project.commands.where", "Say where a job would start first, and why; submits nothing."),
    "explain": CommandEntry("project.commands.explain", "Say why a job is where it is, and what to do."),
    "clusters": CommandEntry("project.commands.clusters", "List the clusters; --refresh asks them how they are."),
    "cluster": CommandEntry("project.commands.cluster", "Add, edit, drain and remove clusters (administrators)."),
    "doctor": CommandEntry("project.commands.doctor", "Look at all that your jobs need; name what is in the way."),
    "login": CommandEntry("project.commands.login", "Get a token from the registry with your password."),
    "logout": CommandEntry("project.commands.logout", "Give the token back and forget it here."),
    "completion": CommandEntry("project.commands.completion", "Print the completion script of your shell."),
    "sandbox": CommandEntry("project.commands.sandbox", "A real one-machine Slurm in a folder, to try things."),
}


class LazyGroup(click.Group):
    """Lists commands without importing them, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            likely = nearest(cmd_name, COMMANDS)
            if likely and not ctx.resilient_parsing:  # as while a shell completes
                ctx.fail(f"There is no command {cmd_name}. Did you mean {likely}?")
            return None
        command: click.Command = import_module(entry.module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.text) for name, entry in COMMANDS.items()])


def _tell_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib import metadata  # noqa: PLC0415 - seldom asked for

    try:
        click.echo(f"gridferry {metadata.version('gridferry')}")
    except metadata.PackageNotFoundError:
        click.echo("gridferry, not installed")
    context.exit()


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Results go to standard output, all else to standard error. Exit codes are listed in docs/client.md.",
)
@submit_options(required=False)
@click.option("-r", "--retrieve", type=JOB, metavar="UUID", help="Fetch the results of this job (see `retrieve`).")
@results_options("With -r or --fetch: ")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_tell_version, help="Print the version."
)
@click.pass_context
def cli(ctx: click.Context, /, **options: Any) -> None:
    """Submit one job file to any of your Slurm clusters, hear by mail how it goes, fetch the results by UUID.

    \b
      python -m project -u input.yml -m modules.yml     submit
      python -m project -r UUID                         fetch the results
    """  # noqa: D301 - \b is click's mark for text that is not wrapped
    if ctx.invoked_subcommand is not None:
        return
    from project.commands.main import run  # noqa: PLC0415 - `--help` needs none of it

    run(ctx, options)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code. No traceback reaches the user for anything foreseen."""
    try:
        result = cli.main(
            args=argv,
            prog_name=_own_name(),
            standalone_mode=False,
            complete_var=COMPLETION_VARIABLE,
            color=wants_colour(),
        )
        return int(result or ExitCode.OK)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except GridferryError as error:
        tell(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a traceback shown to a user is a bug
        from project.crash import keep_crash  # noqa: PLC0415 - seldom needed

        tell(keep_crash(error))
        return ExitCode.INTERNAL
    finally:
        gc.freeze()  # at exit Python would look through all modules for garbage: 40 ms of 250 ms


def _own_name() -> str:
    """Return what the user typed to get here."""
    return "gridferry" if sys.argv[0].endswith("/gridferry") else "python -m project"


def tell(error: GridferryError) -> None:
    """Print an error as a person wants to read it: what, the details, what to do."""
    mark = click.style("error:", fg="red", bold=True)
    colour = wants_colour()
    click.echo(f"{mark} {harmless(error.message)}", err=True, color=colour)
    for line in harmless(error.detail).strip().splitlines():
        click.echo(f"  {line}", err=True)
    if error.remedy:
        click.echo(f"{click.style('→', fg='cyan')} {harmless(error.remedy)}", err=True, color=colour)
