"""The person at the terminal, as the services see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Prompter(Protocol):
    """Asks the person at the terminal; with `--no-input` every question is a UsageError naming the remedy."""

    @property
    def assumes_yes(self) -> bool:
        """Whether `--yes` was given."""

    def secret(self, question: str) -> str:
        """Ask for a secret without echo."""

    def text(self, question: str, default: str = "") -> str:
        """Ask for a line of text."""

    def confirm(self, question: str) -> bool:
        """Ask yes or no; `--yes` answers yes."""

    def confirm_trust(self, question: str) -> bool:
        """Ask yes or no about trust (host keys); `--yes` does not answer this one."""

    def choose(self, question: str, options: Sequence[str]) -> str:
        """Ask for one of `options` or another word; `--yes` takes the first."""


class View(Protocol):
    """Where a person sees what is going on."""

    def begin(self, stage: str) -> None:
        """A stage begins; the one before it is done."""

    def end(self, detail: str = "") -> None:
        """The stage is done."""

    def fail(self) -> None:
        """The stage failed."""

    def note(self, line: str) -> None:
        """Say something."""

    def output(self, line: str) -> None:
        """A command of the user printed a line."""

    def progress(self, done: int, total: int) -> None:
        """Bytes of a transfer."""

    def tasks(self, done: int, total: int, detail: str) -> None:
        """Tasks of a campaign that have ended, of all, with the states they are in."""


class Clock(Protocol):
    """Time."""

    def now_s(self) -> float:
        """Seconds since 1970 (UTC)."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
