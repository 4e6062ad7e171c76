"""`completion`: what makes the shell complete commands, options, UUIDs and other names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from project.adapters.terminal import say
from project.core.errors import UsageError
from project.options import COMPLETION_VARIABLE

#: The value follows `key=` of `--set` without a space. Bash takes the `=` for a word, after which nothing is known;
#: fish knows that no space follows it.
_KEYS = {
    "bash": """
_gridferry_keys() {
    COMPREPLY=()
    if [[ " ${COMP_WORDS[COMP_CWORD]} ${COMP_WORDS[COMP_CWORD - 1]} " != *" = "* ]]; then
        _gridferry_completion "$@"
    fi
    if [[ ${COMPREPLY-} == *= ]]; then
        compopt -o nospace
    fi
}
complete -o nosort -F _gridferry_keys gridferry
""",
    "zsh": """
_gridferry_keys() {
    if [[ ${words[CURRENT - 1]} == --set ]]; then
        compadd() { builtin compadd -S '' "$@" }
    fi
    {
        _gridferry_completion "$@"
    } always {
        unfunction compadd 2>/dev/null
    }
}
compdef _gridferry_keys gridferry
""",
    "fish": "",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_KEYS)))
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
    say(kind(context.find_root().command, {}, "gridferry", COMPLETION_VARIABLE).source() + _KEYS[shell])
