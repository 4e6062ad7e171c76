"""Makes a campaign's tasks of what `for_each` names: data files, the lines of a table, or combinations of values."""

from __future__ import annotations

import csv
import glob
import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from project.core.placeholders import INDEX
from project.core.problems import InvalidDocument, Problem
from project.core.task_table import write_line
from project.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from project.core.job import ForEach

#: More tasks than this are more likely a slip in a glob than a campaign.
MOST_TASKS = 100_000
_TABS = (".tsv", ".tab")
#: Where data goes that lies neither in the job's directory nor in the job file's folder.
_ELSEWHERE = "data"


class TaskReader:
    """Reads tasks.

    Args:
        folder: where relative paths start: the job file's.
        job: the job's directory, or None.
        first_index: of the first task.
    """

    def __init__(self, folder: Path, job: Path | None, first_index: int = 1) -> None:
        self._folder = folder.resolve()
        self._roots = [root.resolve() for root in (job, folder) if root is not None]
        self._first_index = first_index
        self._problems: list[Problem] = []

    def read(self, each: ForEach, *, source: str, lines: Mapping[str, int]) -> list[Task]:
        """Return the tasks, in the order of their index.

        Raises:
            InvalidDocument: with every problem: a glob without a match, a table with a hole, ….
        """
        if each.csv:
            rows = list(self._table(each.csv, each.bring))
        elif each.matrix:
            rows = [
                Task(dict(zip(each.matrix, values, strict=True)))
                for values in itertools.product(*each.matrix.values())
            ]
        else:
            rows = list(self._files(each.files))
        tasks = [
            Task({INDEX: str(number), **row.values}, row.files) for number, row in enumerate(rows, self._first_index)
        ]
        self._check(tasks)
        if self._problems:
            placed = [problem._replace(line=_line(problem.key, lines)) for problem in self._problems]
            raise InvalidDocument(source, placed)
        return tasks

    def _check(self, tasks: Sequence[Task]) -> None:
        if not (tasks or self._problems):
            self._refuse("for_each", "this gives no task at all", "Name at least one file, line or value")
        if len(tasks) > MOST_TASKS:
            self._refuse("for_each", f"these are {len(tasks)} tasks", f"Take {MOST_TASKS} at most")
        for task in tasks:
            try:
                write_line(task.values)
            except ValueError as error:
                self._refuse("for_each", f"task {task.index}: {error}", "Leave line feeds out of names and values")

    def _refuse(self, key: str, message: str, remedy: str) -> None:
        self._problems.append(Problem(key, message, remedy))

    # -- data files

    def _files(self, patterns: Sequence[str]) -> Iterator[Task]:
        found: dict[Path, str] = {}
        for pattern in patterns:
            base = os.path.join(self._folder, os.path.expanduser(pattern))  # noqa: PTH111, PTH118 - a glob, no path
            matches = [Path(base)] if os.path.lexists(base) else map(Path, _matching(base))
            named = {path: self._name_there(path, Path(base)) for path in matches}
            if not named:
                self._refuse("for_each.files", f"nothing matches {pattern!r}", f"It starts at {self._folder}")
            found.update(named)
        taken: dict[str, Path] = {}
        for path, name in sorted(found.items(), key=lambda item: item[1]):
            if taken.setdefault(name, path) != path:
                self._refuse(
                    "for_each.files", f"{taken[name]} and {path} would both be {name} there", "Rename one of them"
                )
            yield Task({"file": name, "name": path.name, "stem": path.stem}, self._tree(path, name))

    def _name_there(self, path: Path, pattern: Path) -> str:
        """Return a data file's name there: as in the job's directory or the job file's folder, else below data/."""
        absolute = path.parent.resolve() / path.name
        for root in self._roots:
            if absolute.is_relative_to(root):
                return absolute.relative_to(root).as_posix()
        fixed = itertools.takewhile(lambda part: not glob.has_magic(part), pattern.parts[:-1])
        return (Path(_ELSEWHERE) / path.relative_to(Path(*fixed))).as_posix()

    def _tree(self, path: Path, name: str) -> dict[str, Path]:
        """Return a file, or every file in a folder, by its name there."""
        if path.is_dir():
            inside = (inner for inner in sorted(path.rglob("*")) if inner.is_file())
            return {f"{name}/{inner.relative_to(path).as_posix()}": inner for inner in inside}
        if not path.is_file():
            self._refuse("for_each", f"{path} is neither a file nor a folder", "Name data files")
        return {name: path}

    # -- tables

    def _table(self, name: str, bring: Sequence[str]) -> Iterator[Task]:
        path = self._folder / Path(name).expanduser()
        try:
            with path.open(newline="", encoding="utf-8-sig") as stream:
                reader = csv.reader(stream, delimiter="\t" if path.suffix.lower() in _TABS else ",")
                columns = self._columns(path, next(reader, []), bring)
                for row in reader:
                    if any(row):
                        yield from self._row(f"{path.name}:{reader.line_num}", columns, row, bring)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self._refuse("for_each.csv", f"{path} cannot be read: {error}", "Give a text file with commas, in UTF-8")

    def _columns(self, path: Path, header: Sequence[str], bring: Sequence[str]) -> list[str]:
        """Return the columns as placeholders: other characters than letters, digits and _ become _."""
        columns = [re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") for name in header]
        for number, name in enumerate(columns):
            if not name or not name[0].isalpha() or name.lower() in [INDEX, *map(str.lower, columns[:number])]:
                message = f"column {number + 1} of {path.name}, {header[number]!r}, cannot be a placeholder"
                self._refuse("for_each.csv", message, "Give it a name of its own that begins with a letter")
        for name in bring:
            if name not in columns:
                self._refuse("for_each.bring", f"{path.name} has no column {name}", f"It has {', '.join(columns)}")
        return columns

    def _row(self, place: str, columns: Sequence[str], row: Sequence[str], bring: Sequence[str]) -> Iterator[Task]:
        if len(row) != len(columns):
            message = f"{place} has {len(row)} cells for {len(columns)} columns"
            self._refuse("for_each.csv", message, "Give every line a cell for each column")
            return
        values, files = dict(zip(columns, row, strict=True)), {}
        for name in set(bring).intersection(columns):
            path = self._folder / Path(values[name]).expanduser()
            if path.exists():
                values[name] = self._name_there(path, path)
                files.update(self._tree(path, values[name]))
            else:
                self._refuse("for_each.bring", f"{place}: there is no {path}", "Correct the table, or the path")
        yield Task(values, files)


def _matching(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern


def _line(key: str, lines: Mapping[str, int]) -> int | None:
    return lines.get(key, lines.get(key.partition(".")[0]))
