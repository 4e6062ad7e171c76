"""The reference page of the commands: what each does, its options, and the columns of the tables it prints."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from project.adapters.show.findings import FINDING_COLUMNS
from project.adapters.show.grid import CLUSTER_COLUMNS, NODE_COLUMNS, TROUBLE_COLUMNS
from project.adapters.show.jobs import EVENT_COLUMNS, JOB_COLUMNS, TASK_COLUMNS
from project.adapters.show.node_groups import NODE_GROUP_COLUMNS
from project.adapters.show.ranking import RANKING_COLUMNS
from project.adapters.show.scan import NODE_CLASS_COLUMNS, PARTITION_COLUMNS
from project.cli import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from project.adapters.show.table import Column

_HEAD = """# The commands

{note}
`python -m project COMMAND --help` (or `gridferry COMMAND --help`) tells the same. UUID is a job's UUID or any
beginning of it, from 4 characters on, that only one of your jobs has. Results go to standard output, all else to
standard error; tables fit the terminal, and where there is none they are plain lines with nothing cut. `--json`
prints the same as JSON. Exit codes: [client.md](client.md).

| command | |
|---|---|
{rows}
"""
#: Tables that commands print: name, columns.
_TABLES: dict[str, Sequence[tuple[str, Sequence[Column]]]] = {
    "clusters": (("Clusters", CLUSTER_COLUMNS), ("Nodes in trouble", TROUBLE_COLUMNS)),
    "cluster": (("Partitions", PARTITION_COLUMNS), ("Kinds of nodes", NODE_CLASS_COLUMNS)),
    "where": (("Clusters", RANKING_COLUMNS),),
    "doctor": (("Findings", FINDING_COLUMNS),),
    "list": (("Jobs", JOB_COLUMNS),),
    "status": (("Tasks", TASK_COLUMNS), ("What happened", EVENT_COLUMNS)),
    "info": (
        ("Clusters", CLUSTER_COLUMNS),
        ("Nodes", NODE_COLUMNS),
        ("Nodes of a large cluster", NODE_GROUP_COLUMNS),
    ),
}


def commands_page(note: str) -> str:
    """Return docs/commands.md."""
    rows = "\n".join(f"| [`{name}`](#{name}) | {entry.text} |" for name, entry in COMMANDS.items())
    sections = (line for name in COMMANDS for line in _section(name))
    return _HEAD.format(note=note, rows=rows) + "\n".join(sections) + "\n"


def _section(name: str) -> Iterator[str]:
    command: click.Command = import_module(COMMANDS[name].module).command
    yield f"\n## {name}\n"
    if isinstance(command, click.Group):
        yield _plain(command.help or "")
        for inner in command.commands.values():
            yield from _usage(f"{name} {inner.name}", inner)
    else:
        yield from _usage(name, command)
    for title, columns in _TABLES.get(name, ()):
        yield f"\n{title}:\n\n| column | |\n|---|---|"
        yield from (f"| {column.title} | {column.text} |" for column in columns)


def _usage(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    words = " ".join([name, *command.collect_usage_pieces(context)])
    yield f"\n`{words}`\n\n{_plain(command.help or '')}"
    options = [p.get_help_record(context) for p in command.get_params(context) if isinstance(p, click.Option)]
    described = [record for record in options if record is not None and record[0] != "--help"]
    if described:
        yield "\n| option | |\n|---|---|"
        yield from (f"| `{option}` | {_cell(text)} |" for option, text in described)


def _plain(text: str) -> str:
    return "\n".join(line.strip() for line in text.replace("\b", "").strip().splitlines())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
