"""What a person sees and answers: stages with times, live on a terminal, else plain lines; all on standard error.

Everything shown goes through `core.printable`: what a job, a cluster or a registry says commands no terminal.
"""

from __future__ import annotations

import getpass
import sys
import time
from typing import TYPE_CHECKING

import click

from project.core.errors import UsageError
from project.core.printable import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.status import Status


def say(text: object, *, to_stderr: bool = False) -> None:
    """Print a line: a result, or with `to_stderr` something about it."""
    click.echo(harmless(text), err=to_stderr)


def say_coloured(line: str, *, to_stderr: bool = False) -> None:
    """Print a line that is harmless already and coloured by us, as `say` does; colours only reach a terminal."""
    click.echo(line, err=to_stderr)


class TerminalPrompter:
    """Asks the person at the terminal.

    Args:
        assume_yes: `--yes`: questions of yes or no are answered yes (but for those of trust).
        no_input: `--no-input`: every question is an error instead.
        before_asking: called first, so that nothing else moves on the terminal.
    """

    def __init__(
        self, *, assume_yes: bool = False, no_input: bool = False, before_asking: Callable[[], None] = lambda: None
    ) -> None:
        self._assume_yes = assume_yes
        self._before_asking = before_asking
        self._no_input = no_input or not sys.stdin.isatty()

    @property
    def can_ask(self) -> bool:
        """Whether there is somebody who may be asked."""
        return not self._no_input

    @property
    def assumes_yes(self) -> bool:
        """Whether `--yes` was given."""
        return self._assume_yes

    def secret(self, question: str) -> str:
        """Ask for a secret without echo."""
        self._prepare_to_ask(question)
        return getpass.getpass(harmless(f"{question}: "))

    def text(self, question: str, default: str = "") -> str:
        """Ask for a line of text."""
        self._prepare_to_ask(question)
        hint = f" [{default}]" if default else ""
        return self._read(f"{question}{hint}: ") or default

    def confirm(self, question: str) -> bool:
        """Ask yes or no; `--yes` answers yes."""
        return self._assume_yes or self.confirm_trust(question)

    def confirm_trust(self, question: str) -> bool:
        """Ask yes or no about trust; `--yes` does not answer this one."""
        self._prepare_to_ask(question)
        return self._read(f"{question} [y/N]: ").strip().lower() in ("y", "yes")

    def choose(self, question: str, options: Sequence[str]) -> str:
        """Ask for one of `options` by number or name, or another word; `--yes` takes the first."""
        if self._assume_yes and options:
            return options[0]
        listed = ", ".join(f"{number}) {option}" for number, option in enumerate(options, 1))
        answer = self.text(f"{question} ({listed})").strip()
        known = {str(number): option for number, option in enumerate(options, 1)}
        return known.get(answer, answer)

    def _prepare_to_ask(self, question: str) -> None:
        if self._no_input:
            raise UsageError(
                f"this needs an answer and nobody can be asked: {question}",
                remedy="Run it once at a terminal, or give the answer in the job file or by a flag",
            )
        self._before_asking()

    @staticmethod
    def _read(prompt: str) -> str:
        print(harmless(prompt), end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().rstrip("\n")


_TENTHS = 10
_BAR_CHARS = 30


class PlainView:
    """Stages as plain lines with their times: `  0.31s  connect: nic5`."""

    def __init__(self) -> None:
        self._started = self._stage_started = time.monotonic()
        self._stage = ""
        self._told = (0, 0)

    def begin(self, stage: str) -> None:
        """A stage begins; the one before it is done."""
        self.end()
        self._stage, self._stage_started = stage, time.monotonic()

    def end(self, detail: str = "") -> None:
        """The stage is done, with something to say about it or not."""
        if self._stage:
            seconds = time.monotonic() - self._stage_started
            self.note(f"{seconds:7.2f}s  {self._stage}{': ' + detail if detail else ''}")
            self._stage = ""

    def fail(self, how: str = "failed") -> None:
        """The stage failed, or was left; the error is told elsewhere."""
        if self._stage:
            self.note(f" {how:<8} {self._stage}")
            self._stage = ""

    def pause(self) -> None:
        """The person is about to be asked; plain lines stand still anyway."""

    def note(self, line: str) -> None:
        """Say something now."""
        print(harmless(line), file=sys.stderr, flush=True)

    def output(self, line: str) -> None:
        """A command of the user printed a line."""
        self.note(f"          | {line}")

    def progress(self, done: int, total: int) -> None:
        """Bytes of a transfer; nothing on plain lines."""

    def tasks(self, done: int, total: int, detail: str) -> None:
        """Tasks that have ended; a line for each tenth of them."""
        tenth = _TENTHS * done // total if total else 0
        if (total, tenth) != self._told:
            self._told = (total, tenth)
            self.note(f"          {done} of {total} tasks have ended: {detail}")


class QuietView(PlainView):
    """Says what is worth it and shows no stages: for commands whose output is what counts."""

    def begin(self, stage: str) -> None:
        """A stage begins."""

    def end(self, detail: str = "") -> None:
        """It is done."""

    def tasks(self, done: int, total: int, detail: str) -> None:
        """Tasks that have ended."""


class LiveView(PlainView):
    """The same on a terminal: the running stage with a spinner, finished ones ticked."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console  # noqa: PLC0415 - a tenth of a second that `--help` does not need

        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None

    def begin(self, stage: str) -> None:
        """A stage begins; the one before it is done."""
        super().begin(stage)
        self._status = self._console.status(_escape(stage))
        self._status.start()

    def end(self, detail: str = "") -> None:
        """The stage is done."""
        stage, self._stage = self._stage, ""
        self._stop()
        if stage:
            seconds = time.monotonic() - self._stage_started
            extra = f"[dim]  {_escape(detail)}[/dim]" if detail else ""
            self._console.print(f"[green]✔[/green] {_escape(stage)}{extra} [dim]{seconds:.2f} s[/dim]")

    def fail(self, how: str = "failed") -> None:
        """The stage failed, or was left."""
        stage, self._stage = self._stage, ""
        self._stop()
        if stage:
            self._console.print(f"[red]✘[/red] {_escape(stage)} [dim]{how}[/dim]")

    def pause(self) -> None:
        """Stop the spinner: it would write over the question, and take its [y/N] for markup."""
        self._stop()

    def note(self, line: str) -> None:
        """Say something now."""
        self._console.print(_escape(line))

    def output(self, line: str) -> None:
        """A command of the user printed a line."""
        self._console.print(f"[dim]  │ {_escape(line)}[/dim]")

    def progress(self, done: int, total: int) -> None:
        """Bytes of a transfer."""
        if self._status is not None and total:
            self._status.update(_escape(f"{self._stage} {100 * done // total} %"))

    def tasks(self, done: int, total: int, detail: str) -> None:
        """Tasks that have ended, as a bar."""
        if self._status is not None and total:
            filled = _BAR_CHARS * done // total
            bar = "█" * filled + "░" * (_BAR_CHARS - filled)
            self._status.update(_escape(f"{self._stage} {bar} {done} of {total}  {detail}"))

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def _escape(text: str) -> str:
    """Return `text` with nothing in it that commands the terminal or that rich takes for markup."""
    from rich.markup import escape  # noqa: PLC0415 - see LiveView

    return escape(harmless(text))


def make_view(*, quiet: bool = False) -> PlainView:
    """Return the view that suits standard error."""
    if quiet:
        return QuietView()
    return LiveView() if sys.stderr.isatty() else PlainView()
