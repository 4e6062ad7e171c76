"""Arranges what a campaign's parts left behind: a folder for each task, and a table of what came of them."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from project.core.campaign import indexes_of
from project.core.placeholders import INDEX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TABLE = "tasks.csv"
_FOLDER = "tasks"
_LONGEST_LABEL = 40
_SLURM_FILE = re.compile(r"slurm-\d+_\d+\.(out|err)$")
#: Columns of the accounting in the table, by the names they have there.
_ACCOUNTED = {
    "state": "State", "exit_code": "ExitCode", "elapsed": "Elapsed", "memory": "MaxRSS", "node": "NodeList",
    "slurm_job": "JobID",
}  # fmt: skip


@dataclass(frozen=True)
class Gathered:
    """Everything of a campaign.

    Attributes:
        files: what to fetch, by where it goes below the results' folder.
        missing: outputs of the campaign as a whole that are not there, and those of tasks, with their folder.
        rows: of the table, one for each task.
    """

    files: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)


def gather(parts: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Gathered:
    """Arrange parts, each the registry's job and the cluster's manifest, in the order of their creation.

    A task that ran again counts as it came out last.
    """
    gathered, rows = Gathered(), {}
    last = {index: number for number, (job, _) in enumerate(parts) for index in indexes_of(job)}
    for number, (job, manifest) in enumerate(parts):
        known = _accounted(job)
        tasks = {task: _row(values, known.get(task, {}), job) for task, values in manifest["tasks"].items()}
        current = {task: row for task, row in tasks.items() if last.get(int(row[INDEX])) == number}
        for task, row in current.items():
            absent = manifest["missing_of"].get(task, [])
            row["missing"] = " ".join(absent)
            gathered.missing.extend(f"{row['folder']}/{name}" for name in absent)
            rows[int(row[INDEX])] = row
        for entry in manifest["files"]:
            _place(gathered, entry, current)
    gathered.missing.extend(dict.fromkeys(name for _, manifest in parts for name in manifest["missing"]))
    gathered.rows.extend(rows[index] for index in sorted(rows))
    return gathered


def write_table(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write the table."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _row(values: Mapping[str, str], known: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, str]:
    """Return a task's line of the table: its values, what is known of it from Slurm's accounting, its folder."""
    accounted = {name: str(known.get(column, "")) for name, column in _ACCOUNTED.items()}
    accounted["state"] = accounted["state"] or str(job["state"])
    return {**values, **accounted, "folder": f"{_FOLDER}/{_label(values)}", "files": "0", "missing": ""}


def _accounted(job: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    columns = job["job_status"]
    ids = [str(job_id).partition("_")[2] for job_id in columns["JobID"]]
    return {task: {name: cells[place] for name, cells in columns.items()} for place, task in enumerate(ids)}


def _label(values: Mapping[str, str]) -> str:
    """Return the name of a task's folder: its number and what tells it apart for people."""
    told = values.get("stem") or "_".join(value for name, value in values.items() if name != INDEX)
    return f"{int(values[INDEX]):05d}-{re.sub(r'[^A-Za-z0-9._=-]+', '_', told)[:_LONGEST_LABEL]}".rstrip("-")


def _place(gathered: Gathered, entry: Mapping[str, Any], rows: Mapping[str, dict[str, str]]) -> None:
    """Give a file its place: in its task's folder, or beside the table; of a task that ran again later, none."""
    name, task = str(entry["name"]), str(entry["task"])
    if not task:
        gathered.files[name] = entry
    elif task in rows:
        row = rows[task]
        row["files"] = str(int(row["files"]) + 1)
        own_name = _SLURM_FILE.sub(r"slurm.\1", name)
        gathered.files[f"{row['folder']}/{own_name}"] = entry
