"""Placeholders: each value reaches the user's program as one word, whatever it holds and wherever it stands."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project.core.placeholders import ShellText, fill, names_in, variable
from project.core.task_table import read_line, shell_lines, write_line

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = ("file", "index")
#: What a shell would take apart, fill in, run or read as something else.
_VALUES = (
    "plain",
    "two  words",
    "$(echo run) `echo run` $HOME",
    'it\'s "it" \\',
    "*",
    "-n",
    "~",
    "a;b|c&d>e<f#g",
    "{x}",
)
#: Commands, with what they print when `{file}` is F and `{index}` is 7.
_COMMANDS = (
    ("printf '%s|' {file} {index}", "F|7|"),
    ('printf "%s|" "{file} {index}"', "F 7|"),
    ("printf '%s|' '{file} {index}'", "F 7|"),
    ("printf '%s|' $'{file}\\t{index}\\''", "F\t7'|"),
    ("printf '%s|' pre{file}post", "preFpost|"),
    ('printf "%s|" "$(printf %s {file} "{index}")"', "F7|"),
    ("cat <<END\n{file} it's {index}\nEND\nprintf %s {index}", "F it's 7\n7"),
    ("cat <<-END; printf %s {index}\n\t{file}\n\tEND", "F\n7"),
    ("printf %s $((({index} + 1) << 1)) {file}", "16F"),
    ("printf %s $( (printf %s {index}) ) {file}", "7F"),
    ("printf %s {index} # it's {file} here\nprintf %s {file}", "7F"),
    ("printf '%s' \"a # b\" {file}", "a # bF"),
    ("printf %s \\'{file}", "'F"),
    ("x={file}; printf %s \"${x}\" '{other}' {index}", "F{other}7"),
)


def _printed(lines: list[str], environment: dict[str, str] | None = None) -> str:
    argv = ["bash", "-c", "\n".join(lines)]
    done = subprocess.run(argv, env=environment or {}, capture_output=True, timeout=30, check=True)
    return done.stdout.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("value", _VALUES)
@pytest.mark.parametrize(("command", "expected"), _COMMANDS)
def test_a_value_stays_one_word_wherever_it_stands(command: str, expected: str, value: str) -> None:
    """A real shell prints the value as it is: bare, quoted, substituted, in here-documents, beside comments."""
    text = ShellText(command, _NAMES)
    assert (text.unknown, text.out_of_reach) == ([], [])
    assert _printed([text.written], {"TASK_FILE": value, "TASK_INDEX": "7"}) == expected.replace("F", value)


def test_doubled_braces_and_the_shells_own_are_left() -> None:
    """`{{file}}` keeps its braces; `${HOME}`, `{a,b}` and `{1..3}` are the shell's."""
    assert ShellText("{{file}} ${HOME} {a,b} {1..3} {}", _NAMES).written == "{file} ${HOME} {a,b} {1..3} {}"


@pytest.mark.parametrize(
    ("command", "unknown", "out_of_reach"),
    [
        ('cat {flie} "{flie}" $(cat {nope})', ["flie", "flie", "nope"], []),
        ("awk '{print}' x; jq '{name}'", [], []),
        ("cat <<'END'\n{file} {other}\nEND", [], ["file"]),
        ("cat <<END\n{other}\nEND", ["other"], []),
        ("# {other}\ntrue", [], []),
    ],
)  # fmt: skip
def test_what_cannot_be_filled_in_is_known(command: str, unknown: list[str], out_of_reach: list[str]) -> None:
    """Unknown ones where braces mean nothing to the shell, and those that a quoted here-document keeps."""
    text = ShellText(command, _NAMES)
    assert (text.unknown, text.out_of_reach) == (unknown, out_of_reach)


def test_outputs_get_values_as_they_are() -> None:
    """Known placeholders are filled in, escaped if asked; doubled braces lose one pair."""
    assert fill("{file}.{index}/{{x}}/{other}", {"file": "a*", "index": "3"}) == "a*.3/{x}/{other}"
    assert fill("{file}", {"file": "a*"}, lambda value: value.replace("*", "[*]")) == "a[*]"
    assert names_in("{file}/{{x}}/${y}/{z}") == ["file", "z"]


_ANY_VALUE = st.text(st.characters(exclude_characters="\n\0", exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=40, deadline=None)
@given(values=st.fixed_dictionaries({"index": st.just("1"), "file": _ANY_VALUE, "dose": _ANY_VALUE}))
def test_the_table_brings_any_value_to_the_shell(
    values: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever a name or a cell holds, the task's variable holds it, and the client reads the same from the line."""
    table = tmp_path_factory.mktemp("table") / "it's the table"
    other = write_line({"index": "0", "file": "", "dose": ""})
    table.write_bytes(f"{other}\n{write_line(values)}\n".encode())
    lines = [*shell_lines(str(table)), 'printf "%s\\n" "$TASK_FILE" "$TASK_DOSE"']
    printed = _printed(lines, {"SLURM_ARRAY_TASK_ID": "2"})
    assert printed == f"{values['file']}\n{values['dose']}\n"
    assert read_line(write_line(values), list(values)) == values


def test_a_task_without_a_line_ends_before_the_users_commands(tmp_path: Path) -> None:
    """A table that is cut short makes no task run with another's values."""
    table = tmp_path / "tasks"
    table.write_text(write_line({"index": "1"}) + "\n")
    lines = [*shell_lines(str(table)), "echo ran"]
    argv = ["bash", "-c", "\n".join(lines)]
    done = subprocess.run(
        argv, env={"SLURM_ARRAY_TASK_ID": "2"}, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (78, "")


def test_a_line_feed_has_no_place_in_the_table() -> None:
    """It would shift every task after it."""
    with pytest.raises(ValueError, match="file is"):
        write_line({"file": "a\nb"})
    assert variable("dose") == "TASK_DOSE"
