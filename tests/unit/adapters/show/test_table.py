"""Tables: whole lines for programs, lines that fit for people."""

from __future__ import annotations

import click

from project.adapters.show.table import Column, listed, render

_COLUMNS = (
    Column("JOB", "", lambda row: row["uuid"], brief=lambda row: row["uuid"][:4]),
    Column("LABEL", "", lambda row: row["label"], leaves=1),
    Column("STATE", "", lambda row: row["state"], lambda row: "red" if row["state"] == "FAILED" else ""),
    Column("AGE", "", lambda row: row["age"], leaves=2, right=True),
    Column("EMPTY", "", lambda _: ""),
)
_ROWS = (
    {"uuid": "3f2b1c0e", "label": "first try of a long name", "state": "FAILED", "age": "3m"},
    {"uuid": "9a8b7c6d", "label": "日本", "state": "RUNNING", "age": "12m 10s"},
)


def _fitted(width: int) -> list[str]:
    return [click.unstyle(line) for line in render(_COLUMNS, _ROWS, width)]


def test_for_programs_nothing_is_cut_or_coloured() -> None:
    """Whole values in aligned columns; columns that are empty everywhere are left out."""
    assert render(_COLUMNS, _ROWS, None) == [
        "JOB       LABEL                     STATE        AGE",
        "3f2b1c0e  first try of a long name  FAILED        3m",
        "9a8b7c6d  日本                      RUNNING  12m 10s",
    ]


def test_on_a_wide_terminal_all_columns_stand() -> None:
    """Short forms where there are some, colours where there is something to see."""
    lines = render(_COLUMNS, _ROWS, 80)
    assert [click.unstyle(line) for line in lines] == [
        "JOB   LABEL                     STATE        AGE",
        "3f2b  first try of a long name  FAILED        3m",
        "9a8b  日本                      RUNNING  12m 10s",
    ]
    assert click.style("FAILED ", fg="red") in lines[1]
    assert "\x1b" not in lines[2]


def test_on_a_narrow_terminal_columns_leave_in_their_order() -> None:
    """Those that matter least first; then the widest is cut, and no line is too long."""
    assert _fitted(40)[0].split() == ["JOB", "LABEL", "STATE"]
    assert _fitted(20)[0].split() == ["JOB", "STATE"]
    for width in range(12, 60):
        assert all(len(line) <= width or width < 13 for line in _fitted(width))


def test_what_is_cut_says_so() -> None:
    """The column that never leaves is cut to what fits."""
    columns = (Column("WHAT", "", lambda row: row["label"]),)
    assert [click.unstyle(line) for line in render(columns, _ROWS, 10)] == ["WHAT", "first try…", "日本"]


def test_strangers_text_commands_no_terminal() -> None:
    """Colours, titles and line breaks of a label do not reach the terminal."""
    columns = (Column("LABEL", "", lambda row: row),)
    assert render(columns, ["a\x1b[31mb\x1b]0;title\x07\nc\rd"], None)[1] == "ab c\ufffdd"


def test_a_text_of_several_lines_is_one_fact() -> None:
    """What a cluster says cannot look like another fact that we tell."""
    assert listed([("note", "out of memory\nstate      COMPLETED"), ("state", "FAILED")]) == [
        "note       out of memory\n           state      COMPLETED",
        "state      FAILED",
    ]
