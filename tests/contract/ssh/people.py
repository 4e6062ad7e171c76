"""A person at the terminal who gives prepared answers, and remembers the questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Person:
    """Answers as told; asked more than that, a test fails.

    Attributes:
        secrets: what to answer without echo, in order.
        texts: what to answer with echo, in order.
        trusting: what to answer when asked to trust a host key; None if that must not be asked.
        questions: what was asked.
        assumes_yes: as with `--yes`.
    """

    secrets: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    trusting: bool | None = None
    questions: list[str] = field(default_factory=list)
    assumes_yes: bool = False

    def secret(self, question: str) -> str:
        """Give the next secret."""
        self.questions.append(question)
        return self.secrets.pop(0)

    def text(self, question: str, default: str = "") -> str:
        """Give the next text."""
        self.questions.append(question)
        return self.texts.pop(0) or default

    def confirm(self, question: str) -> bool:
        """Nothing but trust is confirmed here."""
        raise AssertionError(question)

    def confirm_trust(self, question: str) -> bool:
        """Trust or not."""
        self.questions.append(question)
        assert self.trusting is not None, question
        return self.trusting

    def choose(self, question: str, options: Sequence[str]) -> str:
        """Nothing is to choose here."""
        raise AssertionError(question, options)
