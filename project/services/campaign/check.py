"""What must hold for all tasks of a campaign before any is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project.core.placeholders import INDEX, ShellText, fill, names_in
from project.core.problems import InvalidDocument, Problem, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from project.core.job import JobSpec
    from project.task import Task


def task_problems(spec: JobSpec, tasks: Sequence[Task]) -> Iterator[Problem]:
    """Yield what is wrong with a campaign whose tasks are these: unknown placeholders, outputs that meet."""
    names = list(tasks[0].values)
    commands = ShellText("\n".join(spec.execution), names)
    for name in dict.fromkeys(commands.unknown):
        yield _unknown("execution", name, names)
    for name in dict.fromkeys(commands.out_of_reach):
        remedy = "Write the delimiter without quotes, or use its variable, such as $TASK_FILE, outside"
        yield Problem(
            "execution", f"{{{name}}} stands in a here-document whose quoted delimiter keeps it as it is", remedy
        )
    for pattern in spec.output:
        found = dict.fromkeys(names_in(pattern))
        yield from (_unknown("output", name, names) for name in found if name not in names)
        if found and set(found) <= set(names):
            yield from _meeting(pattern, tasks)


def refuse(source: str, problems: Iterable[Problem], lines: Mapping[str, int] | None = None) -> None:
    """Raise InvalidDocument with all these problems, each at its line, if there is one."""
    found = [problem._replace(line=(lines or {}).get(problem.key)) for problem in problems]
    if found:
        raise InvalidDocument(source, found)


def _unknown(key: str, name: str, names: Sequence[str]) -> Problem:
    likely = nearest(name, names)
    known = f"Did you mean {{{likely}}}?" if likely else f"There are {', '.join(f'{{{known}}}' for known in names)}."
    return Problem(
        key, f"{{{name}}} is no placeholder here", f"{known} To keep the braces as they are, write {{{{{name}}}}}"
    )


def _meeting(pattern: str, tasks: Sequence[Task]) -> Iterator[Problem]:
    """Yield a problem if two tasks would leave the same output."""
    first: dict[str, int] = {}
    for task in tasks:
        name = fill(pattern, task.values)
        if name in first:
            message = f"tasks {first[name]} and {task.index} would both leave {name}"
            yield Problem("output", message, f"Make {pattern!r} differ, for example by {{{INDEX}}}")
            return
        first[name] = task.index
