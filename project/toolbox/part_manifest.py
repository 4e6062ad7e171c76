"""Lists what the tasks of a campaign's part left behind: each file with the task it belongs to."""

import glob
import re
from typing import Dict, Iterator, List, Tuple

from project.core.messages import SCHEMA, Document
from project.core.placeholders import fill, names_in
from project.core.task_table import read_line
from project.toolbox.manifest import ALWAYS, describe
from project.toolbox.outputs import files_of
from project.wrapper.job import Job

_OF_TASK = re.compile(r"slurm-\d+_(\d+)\.(?:out|err)$")
#: What belongs to no task of its own, but to the campaign.
_SHARED = ""


def part_manifest(job: Job) -> Document:
    """Return the manifest of a campaign's part.

    Beside what a job's manifest has, every file names its `task`, "" for those of the whole campaign; `tasks` has the
    values of each, and `missing_of` the outputs each did not leave.
    """
    tasks = tasks_of(job)
    shared = [pattern for pattern in job.spec.output if not names_in(pattern)]
    own = [pattern for pattern in job.spec.output if names_in(pattern)]
    entries = [dict(describe(name, path), task=task) for task, name, path in _written(job)]
    missing, found = _matches(job, _SHARED, shared)
    entries += found
    missing_of: Dict[str, List[str]] = {}
    for task, values in tasks.items():
        patterns = [fill(pattern, values, glob.escape) for pattern in own]
        absent, found = _matches(job, task, patterns)
        entries += found
        if absent:
            missing_of[task] = [fill(own[patterns.index(pattern)], values) for pattern in absent]
    return {"schema": SCHEMA, "files": entries, "missing": missing, "tasks": tasks, "missing_of": missing_of}


def tasks_of(job: Job) -> Dict[str, Dict[str, str]]:
    """Return the values of each task, by its number in the array."""
    with open(job.paths.tasks, encoding="utf-8", errors="surrogateescape", newline="\n") as table:
        lines = [line.rstrip("\n") for line in table]
    placeholders = job.part.placeholders if job.part else []
    return {str(number): read_line(line, placeholders) for number, line in enumerate(lines, 1)}


def _written(job: Job) -> Iterator[Tuple[str, str, str]]:
    """Yield (task, name, path) of what Slurm and the stages wrote."""
    for pattern in ALWAYS:
        for name, path in files_of(job.paths.directory, pattern):
            match = _OF_TASK.match(name)
            yield (match.group(1) if match else _SHARED), name, path


def _matches(job: Job, task: str, patterns: List[str]) -> Tuple[List[str], List[Document]]:
    """Return those patterns that match nothing, and the files that the others match, each once."""
    found: Dict[str, str] = {}
    missing = []
    for pattern in patterns:
        matches = dict(files_of(job.workdir, pattern))
        found.update(matches)
        if not matches:
            missing.append(pattern)
    return missing, [dict(describe(name, path), task=task) for name, path in sorted(found.items())]
