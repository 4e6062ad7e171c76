"""A person at a real terminal: a program runs with a controlling terminal of its own, and is answered by hand."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_LIMIT_S = 90.0
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """A program at a terminal; a context manager that ends it.

    Args:
        argv: its command line.
        folder: where it runs.
        environment: all of it.

    Attributes:
        shown: all that the terminal has shown, without what moves the cursor or colours.
    """

    def __init__(self, argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.shown, self._read_to = "", 0
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *argv],
            cwd=folder,
            env={**environment, "TERM": "xterm", "COLUMNS": "1000"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def answer(self, question: str, answer: str) -> None:
        """Wait until `question` is on the screen, once more than it was answered, and type a line."""
        deadline = time.monotonic() + _LIMIT_S
        while question not in self.shown[self._read_to :]:
            assert self._look(deadline), f"{question!r} was not asked:\n{self.shown}"
        self._read_to = len(self.shown)
        os.write(self._ours, f"{answer}\n".encode())

    def end(self) -> int:
        """Wait until it ends; return its exit code."""
        deadline = time.monotonic() + _LIMIT_S
        while self._look(deadline):
            pass
        return self._process.wait(max(0.0, deadline - time.monotonic()))

    def _look(self, deadline: float) -> bool:
        """Take in what is shown next; whether there is more to come."""
        ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
        try:
            more = os.read(self._ours, 65536) if ready else b""
        except OSError:  # EIO: nobody has the other end open any more
            return False
        self.shown += _CONTROL.sub("", more.decode(errors="replace"))
        return bool(more)
