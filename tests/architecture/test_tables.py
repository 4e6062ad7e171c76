"""What the pages list in tables that are written by hand is what the code has: no more, no less."""

from __future__ import annotations

import re
from pathlib import Path

import click

from api_srv.__main__ import cli
from api_srv.problems import STATUSES, slug_of
from project.core.module_steps import KEYS, STAGES

_ROOT = Path(__file__).resolve().parents[2]


def _table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table in a page whose first line begins so."""
    lines = (_ROOT / page).read_text().splitlines()
    (start,) = (number for number, line in enumerate(lines) if line.startswith(heading))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_every_error_of_the_registry_is_listed() -> None:
    """With the status it is answered with."""
    listed = {(int(status), kind.strip("`")) for status, kind, _ in _table("docs/protocol.md", "| status | type |")}
    assert listed == {(status, slug_of(kind)) for kind, (status, _) in STATUSES.items()}


def test_every_key_and_stage_of_a_modules_file_is_listed() -> None:
    """In the contract of modules."""
    keys = [row[0].strip("`") for row in _table("modules/README.md", "| key of a step |")]
    stages = [row[0].strip("`") for row in _table("modules/README.md", "| stage |")]
    assert (keys, stages) == (list(KEYS), list(STAGES))


def test_every_command_of_the_registry_is_listed() -> None:
    """With its arguments and its own options; the settings have a table of their own."""
    cells = [row[0] for row in _table("docs/registry.md", "| command |")]
    listed = {words for cell in cells for words in re.findall(r"`([^`]+)`", cell)}
    assert {re.sub(r" [A-Z\[-].*", "", words) for words in listed} == set(_commands(cli))


def _commands(group: click.Group, before: str = "") -> list[str]:
    names: list[str] = []
    for name, command in group.commands.items():
        inner = _commands(command, f"{before}{name} ") if isinstance(command, click.Group) else [f"{before}{name}"]
        names += inner
    return names
