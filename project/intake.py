"""Reads what the user asks for: a job file with all it names, and a modules file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.adapters.key_text import key_problems
from project.adapters.modules import find_modules
from project.adapters.source import locate_job
from project.adapters.task_sources import TaskReader
from project.adapters.user_input import LoadedFile, apply_settings, load
from project.core.errors import UsageError
from project.core.job import ForEach
from project.core.job_file.validate import validate
from project.core.job_source import parse_git
from project.core.module_steps import parse_modules
from project.core.problems import InvalidDocument, Problem, in_order
from project.services.campaign.check import refuse, task_problems
from project.services.request import SubmitRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from project.core.job import JobSpec
    from project.task import Task


def read_request(
    user_file: Path,
    modules_file: Path | None,
    settings: Sequence[str],
    clusters: Mapping[str, Mapping[str, Any]] | None,
) -> SubmitRequest:
    """Read and check the job file and the modules file; all problems of both are told at once.

    Args:
        user_file: the job file.
        modules_file: the modules file, if there is one.
        settings: `KEY=VALUE` on top of the job file.
        clusters: what the user's own settings say of clusters; None where nobody will log in.

    Raises:
        InvalidDocument: with all problems.
        UsageError: a file cannot be read.
    """
    loaded = load(user_file)
    apply_settings(loaded, settings)
    return check_request(loaded, modules_file, clusters)


def check_request(
    loaded: LoadedFile, modules_file: Path | None, clusters: Mapping[str, Mapping[str, Any]] | None
) -> SubmitRequest:
    """Check a job file that has been read, or was never a file, and the modules file; all as of `read_request`."""
    problems: list[InvalidDocument] = []
    of_key = key_problems(loaded.document, loaded.lines, clusters)
    try:
        spec = validate(loaded.document, source=loaded.source, lines=loaded.lines)
        repository = parse_git(spec.job or "")
        job_path = None if repository else _job_path(loaded, spec.job)
        tasks = _tasks(loaded, spec, job_path)
    except InvalidDocument as error:
        problems.append(InvalidDocument(loaded.source, in_order([*error.problems, *of_key])))
    else:
        problems += [InvalidDocument(loaded.source, of_key)] if of_key else []
    try:
        steps, files = _read_modules(modules_file)
    except InvalidDocument as error:
        problems.append(error)
    if problems:
        raise _joined(problems)
    return SubmitRequest(loaded.source, loaded.document, spec, steps, files, job_path, repository, tasks)


def _tasks(loaded: LoadedFile, spec: JobSpec, job_path: Path | None) -> list[Task]:
    """Return the tasks of a campaign, none of another job."""
    if spec.for_each is None:
        return []
    directory = job_path if job_path is not None and job_path.is_dir() else None
    tasks = TaskReader(loaded.folder, directory).read(spec.for_each, source=loaded.source, lines=loaded.lines)
    refuse(loaded.source, task_problems(spec, tasks), loaded.lines)
    return tasks


def _job_path(loaded: LoadedFile, job: str | None) -> Path | None:
    try:
        return locate_job(job, loaded.folder)
    except UsageError as error:
        problem = Problem("job", error.message, error.remedy, loaded.lines.get("job"))
        raise InvalidDocument(loaded.source, [problem]) from error


def _read_modules(modules_file: Path | None) -> tuple[list[Any], dict[str, Path]]:
    if modules_file is None:
        return [], {}
    loaded = load(modules_file)
    steps = parse_modules(loaded.document, source=loaded.source, lines=loaded.lines)
    return steps, find_modules(steps, source=loaded.source, lines=loaded.lines)


def _joined(problems: list[InvalidDocument]) -> InvalidDocument:
    """Return one error that tells the problems of both files."""
    first = problems[0]
    first.detail = "\n".join(error.detail for error in problems)
    first.message = f"{' and '.join(error.counted for error in problems)}; nothing was done"
    return first


def read_more(each: ForEach, files: Sequence[str]) -> list[Task]:
    """Return the tasks of further data files, or of further tables.

    Raises:
        UsageError: the campaign's tasks are combinations of values.
        InvalidDocument: something is wrong with them.
    """
    if each.matrix:
        raise UsageError("a campaign over a matrix cannot be extended", remedy="Submit another with the new values")
    reader = TaskReader(Path.cwd(), None)
    if not each.csv:
        return reader.read(ForEach(files=files), source="extend", lines={})
    tables = [each._replace(csv=file) for file in files]
    return [task for table in tables for task in reader.read(table, source="extend", lines={})]
