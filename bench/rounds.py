"""Takes the time of commands, in turn: A B C A B C …, so that what else the machine does disturbs all alike."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

from project.core.errors import GridferryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


class Contender(NamedTuple):
    """A command whose time is taken.

    Attributes:
        argv: the command line, given a number that no other start of it gets.
        answer: its time ends with the line of its standard output that this pattern is found in; None: when it ends.
        environment: what it runs with.
        folder: where it runs.
    """

    argv: Callable[[int], Sequence[str]]
    answer: str | None
    environment: Mapping[str, str]
    folder: Path


def take_turns(
    contenders: Mapping[str, Contender],
    rounds: int,
    settle: Callable[[], None] = lambda: None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, list[float]]:
    """Run every contender once to warm up, then `rounds` times in turn; return each one's seconds.

    Args:
        contenders: by name.
        rounds: how many count.
        settle: returns when nothing of the run before goes on any more.
        progress: told what is running, and how long it took.

    Raises:
        GridferryError: a command failed; its answer is not known then.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            what = f"{f'round {number} of {rounds}' if number else 'warm-up'}: {name}"
            progress(what)
            taken = seconds_to_answer(contender, number)
            progress(f"{what}: {taken:.2f} s")
            settle()
            if number:
                seconds[name].append(taken)
    return seconds


def seconds_to_answer(contender: Contender, number: int) -> float:
    """Run a contender to its end; return the seconds from its start to its answer.

    Raises:
        GridferryError: it failed or gave none.
    """
    argv, taken = contender.argv(number), None
    with tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        with subprocess.Popen(
            argv,
            cwd=contender.folder,
            env=dict(contender.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process:
            assert process.stdout is not None  # noqa: S101 - tells the type checker what PIPE means
            for line in process.stdout:
                if taken is None and contender.answer and re.search(contender.answer, line):
                    taken = time.perf_counter() - started
        if contender.answer is None:
            taken = time.perf_counter() - started
        errors.seek(0)
        if process.returncode or taken is None:
            raise GridferryError(f"`{argv[0]}` ended with {process.returncode}, unanswered", detail=errors.read())
    return taken
