"""`completion`: what makes the shell complete commands, options and UUIDs."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from project.adapters.terminal import say
from project.core.errors import UsageError
from project.options import COMPLETION_VARIABLE


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell for `gridferry`.

    \b
      bash, zsh:  eval "$(gridferry completion bash)"   in ~/.bashrc (~/.zshrc)
      fish:       gridferry completion fish > ~/.config/fish/completions/gridferry.fish
    """  # noqa: D301 - \b is click's mark for text that is not wrapped
    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"there is no completion for {shell}", remedy="Take bash, zsh or fish")
    say(kind(context.find_root().command, {}, "gridferry", COMPLETION_VARIABLE).source())
