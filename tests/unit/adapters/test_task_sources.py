"""What a campaign's tasks are: found in files, a table or a matrix; everything wrong with them told at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from project.adapters.task_sources import TaskReader
from project.core.job import ForEach
from project.core.problems import InvalidDocument

if TYPE_CHECKING:
    from pathlib import Path

    from project.task import Task


def read(folder: Path, each: ForEach, job: Path | None = None) -> list[Task]:
    """The tasks of a job file in `folder`."""
    return TaskReader(folder, job).read(each, source="job.yml", lines={"for_each": 7})


def problems_of(folder: Path, each: ForEach) -> list[str]:
    """What is wrong with them, as it is shown."""
    with pytest.raises(InvalidDocument) as caught:
        read(folder, each)
    return [problem.render("job.yml") for problem in caught.value.problems]


def make(folder: Path, *names: str) -> None:
    """Write files, each with its own name in it."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def test_a_glob_gives_each_file_once_by_its_name_there(tmp_path: Path) -> None:
    """Sorted, whatever the patterns overlap; a folder is brought whole; names start at the job file."""
    make(tmp_path, "data/b.csv", "data/a.csv", "data/deep/c.csv", "case/x/in.dat", "case/x/more/in.dat")
    tasks = read(tmp_path, ForEach(files=["data/**/*.csv", "data/a.csv", "case/*"]))
    assert [(task.values["index"], task.values["file"]) for task in tasks] == [
        ("1", "case/x"), ("2", "data/a.csv"), ("3", "data/b.csv"), ("4", "data/deep/c.csv"),
    ]  # fmt: skip
    assert sorted(tasks[0].files) == ["case/x/in.dat", "case/x/more/in.dat"]
    assert tasks[1].values == {"index": "2", "file": "data/a.csv", "name": "a.csv", "stem": "a"}


def test_names_start_at_the_jobs_directory_where_the_data_lies_in_it(tmp_path: Path) -> None:
    """They are brought with the job then; data from elsewhere goes below data/."""
    make(tmp_path, "here/sim/data/a.csv", "elsewhere/run1/a.fits")
    here = tmp_path / "here"
    assert [t.values["file"] for t in read(here, ForEach(files=["sim/data/*"]), here / "sim")] == ["data/a.csv"]
    assert [t.values["file"] for t in read(here, ForEach(files=["../elsewhere/*/*"]))] == ["data/run1/a.fits"]


def test_a_table_gives_a_task_for_each_line(tmp_path: Path) -> None:
    """Columns become placeholders, letters, digits and _ only; named ones bring their files; empty lines are none."""
    make(tmp_path, "reads/a.fq", "reads/b.fq")
    table = '\ufeffSample ID,reads,dose (mg)\nA,reads/a.fq,1.5\n\n"B, second",reads/b.fq,2\n'
    (tmp_path / "samples.csv").write_text(table, encoding="utf-8")
    tasks = read(tmp_path, ForEach(csv="samples.csv", bring=["reads"]))
    assert [dict(task.values) for task in tasks] == [
        {"index": "1", "Sample_ID": "A", "reads": "reads/a.fq", "dose_mg": "1.5"},
        {"index": "2", "Sample_ID": "B, second", "reads": "reads/b.fq", "dose_mg": "2"},
    ]
    assert tasks[1].files == {"reads/b.fq": tmp_path / "reads" / "b.fq"}
    (tmp_path / "t.tsv").write_text("x\ty\n1\t2\n")
    assert read(tmp_path, ForEach(csv="t.tsv"))[0].values == {"index": "1", "x": "1", "y": "2"}


def test_a_matrix_gives_every_combination(tmp_path: Path) -> None:
    """The last key changes fastest."""
    tasks = read(tmp_path, ForEach(matrix={"alpha": ["0.1", "0.2"], "seed": ["1", "2"]}))
    assert [f"{task.values['alpha']} {task.values['seed']}" for task in tasks] == ["0.1 1", "0.1 2", "0.2 1", "0.2 2"]


def test_every_problem_of_a_table_comes_at_once(tmp_path: Path) -> None:
    """With the line of the table it is about, at the line of the job file."""
    (tmp_path / "t.csv").write_text("id,index,ID,9x,reads\n1,2,3,4,none.fq\n1,2\n")
    found = problems_of(tmp_path, ForEach(csv="t.csv", bring=["reads", "nope"]))
    assert all(line.startswith("job.yml:7: ") for line in found)
    for number, expected in enumerate((
        "column 2 of t.csv, 'index', cannot be", "column 3 of t.csv, 'ID', cannot be",
        "column 4 of t.csv, '9x', cannot be", "t.csv has no column nope",
        "t.csv:2: there is no", "t.csv:3 has 2 cells",
    )):  # fmt: skip
        assert expected in found[number]


@pytest.mark.parametrize(
    ("each", "message"),
    [
        (ForEach(files=["data/*.nope"]), "nothing matches 'data/*.nope'"),
        (ForEach(csv="absent.csv"), "absent.csv cannot be read"),
        (ForEach(csv="binary.csv"), "binary.csv cannot be read"),
        (ForEach(csv="header.csv"), "this gives no task at all"),
        (ForEach(matrix={"x": []}), "this gives no task at all"),
        (ForEach(matrix={"x": ["0"] * 400, "y": ["0"] * 400}), "these are 160000 tasks"),
        (ForEach(files=["odd*"]), "task 1: file is 'odd\\nname'"),
        (ForEach(files=["../a/*/x", "../b/*/x"]), "would both be data/1/x there"),
        (ForEach(files=["pipe"]), "pipe is neither a file nor a folder"),
    ],
)
def test_what_gives_no_tasks_is_told(tmp_path: Path, each: ForEach, message: str) -> None:
    """A glob without a match, a table that is none, two files of one name, and what cannot be brought."""
    here = tmp_path / "here"
    make(tmp_path, "a/1/x", "b/1/x", "here/odd\nname")
    (here / "binary.csv").write_bytes(b"\xff\xfe\x00")
    (here / "header.csv").write_text("a,b\n")
    os.mkfifo(here / "pipe")
    assert message in "\n".join(problems_of(here, each))
