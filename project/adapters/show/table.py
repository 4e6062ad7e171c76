"""Tables for terminals and for programs: columns that fit the width there is, whole lines where there is none."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from rich.cells import cell_len, set_cell_size

from project.adapters.terminal import say_coloured
from project.core.printable import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_GAP = "  "
_NARROWEST = 8
_NAME_WIDTH = 10


def plain(_: Any) -> str:
    """No colour."""
    return ""


class Column(NamedTuple):
    """A column.

    Attributes:
        title: its heading.
        text: what it tells, for the reference page.
        value: the cell of a row.
        colour: of the cell, by click's names; "" for none.
        leaves: where the terminal is narrow, the column with the highest number goes first; 0 stays.
        right: whether it is aligned right.
        brief: the cell on a terminal, where people read and programs do not; None for the same.
    """

    title: str
    text: str
    value: Callable[[Any], str]
    colour: Callable[[Any], str] = plain
    leaves: int = 0
    right: bool = False
    brief: Callable[[Any], str] | None = None


def screen_width(*, of_stderr: bool = False) -> int | None:
    """Return the width of the terminal that standard output (or error) is, None if it is none."""
    stream = sys.stderr if of_stderr else sys.stdout
    return shutil.get_terminal_size().columns if stream.isatty() else None


def show(columns: Sequence[Column], rows: Sequence[Any], *, to_stderr: bool = False) -> None:
    """Print a table as it suits standard output, or standard error."""
    for line in render(columns, rows, screen_width(of_stderr=to_stderr)):
        say_coloured(line, to_stderr=to_stderr)


def listed(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Return facts one below the other; further lines of one are set in: no stranger's text looks like ours."""
    return [f"{name:<{_NAME_WIDTH}} {text}".replace("\n", "\n" + " " * (_NAME_WIDTH + 1)) for name, text in facts]


def render(columns: Sequence[Column], rows: Sequence[Any], width: int | None) -> list[str]:
    """Return the lines of a table.

    Args:
        columns: in their order; those that are empty in every row are left out.
        rows: anything that the columns read.
        width: of the terminal, to which it is fitted with colours; None where there is none: nothing is cut then.
    """
    cells = {column.title: [_cell(_value(column, row, width)) for row in rows] for column in columns}
    used = [column for column in columns if any(cells[column.title])]
    widths = {column.title: max(map(cell_len, [column.title, *cells[column.title]])) for column in used}
    if width is not None:
        used = _fitting(used, widths, width)
    heading = _joined([_padded(column.title, widths[column.title], column) for column in used])
    lines = [heading if width is None else click.style(heading, bold=True)]
    for number, row in enumerate(rows):
        line = [_padded(cells[column.title][number], widths[column.title], column) for column in used]
        if width is not None:
            line = [_coloured(cell, column.colour(row)) for cell, column in zip(line, used, strict=True)]
        lines.append(_joined(line))
    return lines


def _coloured(cell: str, colour: str) -> str:
    return click.style(cell, fg=colour) if colour and cell.strip() else cell


def _value(column: Column, row: Any, width: int | None) -> str:
    return column.value(row) if width is None or column.brief is None else column.brief(row)


def _cell(text: str) -> str:
    return " ".join(harmless(text).split())


def _fitting(columns: list[Column], widths: dict[str, int], width: int) -> list[Column]:
    """Return the columns that have room, and make the widest narrower where that is not enough."""
    used = list(columns)
    while _total(used, widths) > width and any(column.leaves for column in used):
        used.remove(max(used, key=lambda column: column.leaves))
    while _total(used, widths) > width and max(widths[column.title] for column in used) > _NARROWEST:
        widest = max(used, key=lambda column: widths[column.title]).title
        widths[widest] = max(_NARROWEST, widths[widest] - (_total(used, widths) - width))
    return used


def _total(columns: Sequence[Column], widths: dict[str, int]) -> int:
    return sum(widths[column.title] for column in columns) + len(_GAP) * (len(columns) - 1)


def _padded(text: str, width: int, column: Column) -> str:
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - length) + text if column.right else text + " " * (width - length)


def _joined(cells: Sequence[str]) -> str:
    return _GAP.join(cells).rstrip()
