"""A campaign's table of tasks, as it lies on the cluster: line N is what array task N exports before it begins."""

import shlex
from typing import Dict, List, Mapping, Sequence

from project.core.placeholders import variable

_EXPORT = "export"


def write_line(values: Mapping[str, str]) -> str:
    """Return the line of one task: shell that sets its values, each quoted; without a line feed.

    Raises:
        ValueError: a value holds a line feed, which a line cannot hold.
    """
    for name, value in values.items():
        if "\n" in value or "\0" in value:
            raise ValueError(f"{name} is {value!r}")
    return " ".join([_EXPORT, *(f"{variable(name)}={shlex.quote(value)}" for name, value in values.items())])


def read_line(line: str, names: Sequence[str]) -> Dict[str, str]:
    """Return a task's values by name, from what `write_line` wrote for the same names."""
    exported = dict(word.partition("=")[::2] for word in shlex.split(line)[1:])
    return {name: exported[variable(name)] for name in names if variable(name) in exported}


def shell_lines(table: str) -> List[str]:
    """Return the job script's lines that make a task its own: they end it where its line is missing."""
    return [
        f'eval "$(sed -n "${{SLURM_ARRAY_TASK_ID}}{{p;q}}" {shlex.quote(table)})"',
        'if [ -z "$TASK_INDEX" ]; then echo "The table of tasks has no line for this one." >&2; exit 78; fi',
    ]
