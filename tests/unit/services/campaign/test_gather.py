"""What a campaign left behind: a folder for each task, a table of all."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from project.services.campaign.gather import gather, write_table

if TYPE_CHECKING:
    from pathlib import Path

_CAMPAIGN = "3f2b1c0e-0000-4000-8000-000000000000"


def part(indexes: str, slurm_job: str, *states: str, **manifest: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A part whose tasks ended in these states, with its manifest."""
    ids = [f"{slurm_job}_{task}" for task in range(1, len(states) + 1)]
    columns = {"JobID": ids, "State": list(states), "ExitCode": ["0:0"] * len(ids), "MaxRSS": ["2048K"] * len(ids)}
    job = {"campaign": {"uuid": _CAMPAIGN, "indexes": indexes}, "state": "DONE", "job_status": columns}
    return job, {"files": [], "missing": [], "tasks": {}, "missing_of": {}, **manifest}


def of(task: str, name: str) -> dict[str, str]:
    """A file of a task as a manifest lists it."""
    return {"task": task, "name": name}


def test_each_task_has_its_folder_and_its_line() -> None:
    """Outputs keep their names, what Slurm wrote loses its numbers, what is missing is named in both places."""
    gathered = gather([
        part(
            "1-2", "40", "COMPLETED", "FAILED",
            tasks={"1": {"index": "1", "stem": "a b"}, "2": {"index": "2", "stem": "b"}},
            files=[
                of("1", "out/a b.txt"), of("1", "slurm-40_1.out"), of("2", "slurm-40_2.err"), of("", "job.sbatch"),
            ],
            missing=["summary.txt"],
            missing_of={"2": ["out/b.txt"]},
        )
    ])  # fmt: skip
    assert list(gathered.files) == [
        "tasks/00001-a_b/out/a b.txt", "tasks/00001-a_b/slurm.out", "tasks/00002-b/slurm.err", "job.sbatch",
    ]  # fmt: skip
    assert gathered.missing == ["tasks/00002-b/out/b.txt", "summary.txt"]
    first, second = gathered.rows
    assert (first["state"], first["files"], first["missing"], first["memory"]) == ("COMPLETED", "2", "", "2048K")
    assert (second["state"], second["slurm_job"], second["missing"]) == ("FAILED", "40_2", "out/b.txt")


def test_a_task_that_ran_again_counts_as_it_came_out_last() -> None:
    """Its later attempt is in the table and its files in the folder; the earlier one's are not brought."""
    values = {str(number): {"index": str(number), "x": str(number)} for number in (1, 2, 3)}
    first = part("1-3", "40", "COMPLETED", "FAILED", "COMPLETED", tasks=values, files=[of("2", "slurm-40_2.err")])
    again = part("2", "41", "COMPLETED", tasks={"1": values["2"]}, files=[of("1", "slurm-41_1.err")])
    gathered = gather([first, again])
    assert [row["state"] for row in gathered.rows] == ["COMPLETED"] * 3
    assert {name: entry["name"] for name, entry in gathered.files.items()} == {
        "tasks/00002-2/slurm.err": "slurm-41_1.err"
    }


def test_a_part_that_never_came_into_the_queue_tells_its_own_state() -> None:
    """There is nothing in the accounting, so the job's state stands in every line."""
    job, manifest = part("1", "", tasks={"1": {"index": "1"}})
    assert gather([({**job, "state": "ERROR"}, manifest)]).rows[0]["state"] == "ERROR"


def test_the_table_holds_any_value(tmp_path: Path) -> None:
    """Commas, quotes and letters of any language come back as they were."""
    rows = [{"index": "1", "name": 'a, "b" ż'}, {"index": "2", "name": "", "extra": "x"}]
    write_table(tmp_path / "t.csv", rows)
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as stream:
        assert list(csv.DictReader(stream)) == [{**rows[0], "extra": ""}, rows[1]]


class _Columns(dict[str, list[str]]):
    """Columns of the accounting that count how often all tasks of the part are asked for."""

    reads = 0

    def __getitem__(self, name: str) -> list[str]:
        """A column."""
        self.reads += name == "JobID"
        return super().__getitem__(name)


def test_the_accounting_is_read_no_more_often_for_more_tasks() -> None:
    """A part's columns are as long as it has tasks: asking for all of them for each would take the square of that."""
    reads = []
    for count in (2, 50):
        tasks = {str(number): {"index": str(number), "x": "y"} for number in range(1, count + 1)}
        job, manifest = part(f"1-{count}", "40", *["COMPLETED"] * count, tasks=tasks)
        job["job_status"] = _Columns(job["job_status"])
        assert len(gather([(job, manifest)]).rows) == count
        reads.append(job["job_status"].reads)
    assert reads[0] == reads[1]
