"""Questions at a real terminal, and what happens where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]
_ASK = """
import fcntl, os, sys, termios
sys.path.insert(0, sys.argv[1])
if os.isatty(0):
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from project.adapters.terminal import TerminalPrompter, make_view
from project.core.errors import UsageError
flags = dict(assume_yes="yes" in sys.argv[2], no_input="no_input" in sys.argv[2])
view = make_view()
view.begin("connect")
prompter = TerminalPrompter(**flags, before_asking=view.pause)
try:
    answer = repr(eval(sys.argv[3]))
except UsageError as error:
    answer = f"UsageError {error.message} | {error.remedy}"
view.pause()
print(answer)
"""


def ask(question: str, typed: str | None, flags: str = "") -> tuple[str, str]:
    """Ask in a process of its own, at a terminal where something is typed (None: there is no terminal).

    Returns:
        What was answered, and what the terminal shows in the end.
    """
    argv = [sys.executable, "-c", _ASK, str(_ROOT), flags, question]
    if typed is None:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=30)
        return done.stdout.strip(), done.stderr
    terminal, inner = os.openpty()
    with subprocess.Popen(argv, stdin=inner, stdout=subprocess.PIPE, stderr=inner, start_new_session=True) as process:
        os.close(inner)
        assert process.stdout is not None
        shown = ""
        while typed and not shown.endswith(": "):  # until the question is there
            shown += os.read(terminal, 10_000).decode(errors="replace")
        os.write(terminal, typed.encode())
        answer = process.stdout.read().decode().strip()
    shown += _rest(terminal)
    os.close(terminal)
    assert process.returncode == 0
    return answer, shown


def _rest(terminal: int) -> str:
    """What a terminal still shows once nobody writes to it any more."""
    shown = b""
    try:
        while chunk := os.read(terminal, 10_000):
            shown += chunk
    except OSError:  # Linux tells the end of a terminal like that
        pass
    return shown.decode()


@pytest.mark.parametrize(
    ("question", "typed", "answer"),
    [
        ("prompter.text('Which key')", "~/.ssh/id\n", "'~/.ssh/id'"),
        ("prompter.text('Which key', 'default')", "\n", "'default'"),
        ("prompter.confirm('Go on?')", "y\n", "True"),
        ("prompter.confirm('Go on?')", "YES\n", "True"),
        ("prompter.confirm('Go on?')", "\n", "False"),
        ("prompter.confirm('Go on?')", "yep\n", "False"),
        ("prompter.confirm_trust('Trust it?')", "yes\n", "True"),
        ("prompter.confirm_trust('Trust it?')", "\n", "False"),
        ("prompter.choose('Which', ['nic5', 'lemaitre3'])", "2\n", "'lemaitre3'"),
        ("prompter.choose('Which', ['nic5', 'lemaitre3'])", "nic5\n", "'nic5'"),
        ("prompter.choose('Which', ['nic5'])", "dragon2\n", "'dragon2'"),
        ("prompter.text('Which key')", "\x04", "''"),
    ],
)
def test_a_person_is_asked_and_answers(question: str, typed: str, answer: str) -> None:
    """At a terminal; the question is on standard error, and the end of input is an empty answer."""
    answered, shown = ask(question, typed)
    assert answered == answer
    assert question.split("'")[1] in shown


def test_a_question_amid_a_stage_is_shown_whole() -> None:
    """The spinner of the running stage stops before the question, and nothing of it is taken for markup."""
    _, shown = ask("prompter.confirm_trust('Do you trust it?')", "y\n")
    assert "Do you trust it? [y/N]: " in shown
    assert "⠋" not in shown.partition("Do you trust it?")[2]


def test_a_secret_is_not_shown() -> None:
    """Neither while it is typed nor later."""
    answered, shown = ask("prompter.secret('Passphrase')", "correct horse\n")
    assert answered == "'correct horse'"
    assert "Passphrase: " in shown
    assert "correct horse" not in shown


@pytest.mark.parametrize(
    ("question", "answer"),
    [("prompter.confirm('Go on?')", "True"), ("prompter.choose('Which', ['nic5', 'lemaitre3'])", "'nic5'")],
)
@pytest.mark.parametrize("flags", ["yes", "yes no_input"])
def test_yes_answers_what_is_not_about_trust(question: str, answer: str, flags: str) -> None:
    """Without a terminal, too: nobody is asked."""
    assert ask(question, None, flags) == (answer, "")


def test_yes_never_answers_about_trust() -> None:
    """At a terminal the person is asked all the same; without one it is an error."""
    assert ask("prompter.confirm_trust('Trust this host?')", "n\n", "yes")[0] == "False"
    assert ask("prompter.confirm_trust('Trust this host?')", "y\n", "yes")[0] == "True"
    for flags in ("yes", "yes no_input"):
        assert ask("prompter.confirm_trust('Trust this host?')", None, flags)[0].startswith("UsageError")


@pytest.mark.parametrize("question", ["secret('Why')", "text('Why')", "confirm('Why')", "choose('Why', ['a'])"])
@pytest.mark.parametrize(("typed", "flags"), [(None, ""), ("", "no_input")])
def test_where_nobody_can_be_asked_a_question_is_an_error(question: str, typed: str | None, flags: str) -> None:
    """It names the question and says what to do; it never waits."""
    answered, _ = ask(f"prompter.{question}", typed, flags)
    assert answered.startswith("UsageError this needs an answer and nobody can be asked: Why")
    assert "by a flag" in answered


_VIEW = """
import sys
sys.path.insert(0, sys.argv[1])
from project.adapters.terminal import make_view
view = make_view(quiet=sys.argv[2] == "quiet")
view.begin("connect")
view.end("nic5 [bold]")
view.begin("compile")
view.output("gcc: [error]")
view.progress(1, 2)
view.note("a [note]")
view.fail("left")
view.end()
"""


def _view(flag: str, *, at_terminal: bool, program: str = _VIEW) -> str:
    terminal, inner = os.openpty()
    argv = [sys.executable, "-c", program, str(_ROOT), flag]
    stream = inner if at_terminal else subprocess.PIPE
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stream) as process:
        os.close(inner)
        shown = _rest(terminal) if at_terminal or process.stderr is None else process.stderr.read().decode()
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(terminal)
    return shown


@pytest.mark.parametrize("at_terminal", [True, False])
def test_a_quiet_view_says_what_is_worth_it_and_shows_no_stages(at_terminal: bool) -> None:
    """For commands whose output is what counts."""
    lines = _view("quiet", at_terminal=at_terminal).split("\n")
    assert [line.strip() for line in lines if line] == ["| gcc: [error]", "a [note]"]


def test_stages_are_plain_lines_with_their_times() -> None:
    """In a pipe or a log; brackets in what is said are only brackets."""
    lines = _view("", at_terminal=False).split("\n")
    assert [line.strip().split("s  ")[-1] for line in lines if line] == [
        "connect: nic5 [bold]", "| gcc: [error]", "a [note]", "left     compile",
    ]  # fmt: skip


_HOSTILE = """
import sys
sys.path.insert(0, sys.argv[1])
from project.adapters.terminal import TerminalPrompter, make_view, say
from project.cli import tell
from project.core.errors import RegistryError
bad = "<\\x1b]0;title\\x07\\x1b[2J[/nothing]\\u202e>"
view = make_view()
for act in (view.begin, view.end, view.begin, view.output, view.note):
    act(bad)
view.progress(1, 2)
view.fail()
tell(RegistryError(bad, remedy=bad, detail=bad + "\\n" + bad))
say(bad, to_stderr=True)
TerminalPrompter._read(bad)
"""


@pytest.mark.parametrize("at_terminal", [True, False])
def test_what_strangers_say_commands_no_terminal(*, at_terminal: bool) -> None:
    """Titles, cursors and turned lines in stages, output, errors, results and questions are left out."""
    shown = _view("", at_terminal=at_terminal, program=_HOSTILE)
    assert shown.count("<[/nothing]\ufffd>") >= 10
    assert "\x1b]" not in shown
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown


def test_stages_are_ticked_at_a_terminal() -> None:
    """With a spinner while they run; what was said stays readable, brackets and all."""
    shown = _view("", at_terminal=True)
    for expected in ("✔", "✘", "nic5 [bold]", "gcc: [error]", "a [note]"):
        assert expected in shown
