"""What a job prints, passed on: byte for byte to files and pipes, without commands for the terminal on one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

from project.core.printable import harmless

if TYPE_CHECKING:
    from typing import TextIO

    from project.ports import LogText

#: How the outputs of several array tasks are told apart.
Apart = Literal["headings", "lines"]


class JobOutput:
    """Writes what jobs print: standard output to ours, and standard error to ours if both are wanted.

    Args:
        apart: array tasks by a heading for each, as `tail` has them, or by their number before each line.
        both: whether standard error comes, too.
        stdout: our standard output; the process's unless said.
        stderr: our standard error; the same.
    """

    def __init__(
        self,
        *,
        apart: Apart = "headings",
        both: bool = False,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self._apart = apart
        self._both = both
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        self._last = ""
        self._unfinished: dict[str, tuple[LogText, bytes]] = {}

    def write(self, text: LogText) -> None:
        """Pass on one piece."""
        target = self._target(text)
        if text.task and self._apart == "headings" and text.name != self._last:
            target.write(f"{chr(10) if self._last else ''}==> {text.name} <==\n")
            self._last = text.name
        if target.isatty() or (text.task and self._apart == "lines"):
            self._write_lines(target, text)
        else:
            target.flush()
            target.buffer.write(text.data)
        target.flush()

    def finish(self) -> None:
        """Pass on last lines that have no end."""
        for text, data in self._unfinished.values():
            self._write_shown(self._target(text), text, data)
            self._target(text).flush()
        self._unfinished.clear()

    def _target(self, text: LogText) -> TextIO:
        return self._stderr if self._both and text.stream == "err" else self._stdout

    def _write_lines(self, target: TextIO, text: LogText) -> None:
        """Write whole lines only: others may come between, and a command to the terminal in two pieces."""
        _, begun = self._unfinished.pop(text.name, (text, b""))
        lines, newline, rest = (begun + text.data).rpartition(b"\n")
        if newline:
            self._write_shown(target, text, lines + newline)
        if rest:
            self._unfinished[text.name] = (text, rest)

    def _write_shown(self, target: TextIO, text: LogText, data: bytes) -> None:
        mark = f"[{text.task}] ".encode() if text.task and self._apart == "lines" else b""
        marked = b"".join(mark + line for line in data.splitlines(keepends=True))
        if target.isatty():
            target.write(_shown(marked))
        else:
            target.flush()
            target.buffer.write(marked)


def _shown(data: bytes) -> str:
    """Return lines as they may be shown; of a progress bar, drawn over and over, what it came to."""
    lines = data.decode(errors="replace").replace("\r\n", "\n").split("\n")
    return harmless("\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines))
