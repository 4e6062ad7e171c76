"""`python -m project -u …` and `-r …`: the short spellings of submit and retrieve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.errors import UsageError

if TYPE_CHECKING:
    import click


def run(ctx: click.Context, options: dict[str, Any]) -> None:
    """Do what the options ask for; without any, show the help."""
    retrieve = options.pop("retrieve")
    submitting = options["user_file"] is not None or options["resume"] is not None
    if retrieve and submitting:
        raise UsageError("-r does not go with -u or --resume", remedy="Do one after the other")
    if retrieve:
        from project.commands.retrieve import run_retrieve  # noqa: PLC0415 - only what is called is imported

        run_retrieve(
            retrieve,
            to=options["to"],
            overwrite=options["overwrite"],
            settings=options["settings"],
            assume_yes=options["assume_yes"],
            no_input=options["no_input"],
            as_json=options["as_json"],
        )
    elif submitting:
        from project.commands.submit import run_submit  # noqa: PLC0415

        run_submit(**options)
    elif any(options.values()):
        raise UsageError("there is neither a job file nor a UUID", remedy="Name one: -u input.yml, or -r UUID")
    else:
        ctx.exit(_show_help(ctx))


def _show_help(ctx: click.Context) -> int:
    from click import echo  # noqa: PLC0415 - annotations alone need no import

    echo(ctx.get_help())
    return 0
