"""What a job prints, passed on."""

from __future__ import annotations

import io

from project.adapters.show.output import JobOutput
from project.ports import LogText


class _Screen(io.TextIOWrapper):
    """Standard output in memory; a terminal or not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")
        self._terminal = terminal

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._terminal

    @property
    def shown(self) -> bytes:
        """What was written."""
        self.flush()
        content = self.buffer
        assert isinstance(content, io.BytesIO)
        return content.getvalue()


def _text(data: bytes, task: str = "", stream: str = "out") -> LogText:
    return LogText(f"slurm-47{f'_{task}' if task else ''}.{stream}", task, stream, data)


def test_pipes_get_every_byte() -> None:
    """Half lines, lone bytes and colours; standard error apart where both are wanted."""
    stdout, stderr = _Screen(terminal=False), _Screen(terminal=False)
    output = JobOutput(both=True, stdout=stdout, stderr=stderr)
    for data in (b"\xff\x00 half", b" line\n", b"\x1b[31mred\r\n"):
        output.write(_text(data))
    output.write(_text(b"oops", stream="err"))
    output.finish()
    assert stdout.shown == b"\xff\x00 half line\n\x1b[31mred\r\n"
    assert stderr.shown == b"oops"


def test_a_terminal_gets_whole_lines_without_commands() -> None:
    """A command that comes in two pieces is none; of a progress bar the last drawing is shown."""
    stdout = _Screen(terminal=True)
    output = JobOutput(stdout=stdout)
    for data in (b"\x1b[3", b"1mred\n10 %\r20 %\r", b"100 %\nno end"):
        output.write(_text(data))
    assert stdout.shown == b"red\n100 %\n"
    output.finish()
    assert stdout.shown.endswith(b"no end")


def test_tasks_stand_below_headings() -> None:
    """One each time the file changes."""
    stdout = _Screen(terminal=False)
    output = JobOutput(stdout=stdout)
    for data, task in ((b"a\n", "1"), (b"b\n", "1"), (b"c\n", "2")):
        output.write(_text(data, task))
    assert stdout.shown == b"==> slurm-47_1.out <==\na\nb\n\n==> slurm-47_2.out <==\nc\n"


def test_tasks_that_are_followed_have_their_number_before_each_line() -> None:
    """Lines of several never mix, and one without an end comes last."""
    stdout = _Screen(terminal=False)
    output = JobOutput(apart="lines", stdout=stdout)
    for data, task in ((b"a1\na", "1"), (b"b1\n", "2"), (b"2\n", "1"), (b"open", "2")):
        output.write(_text(data, task))
    output.finish()
    assert stdout.shown == b"[1] a1\n[2] b1\n[1] a2\n[2] open"
