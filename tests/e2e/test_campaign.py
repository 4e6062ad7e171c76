"""Campaigns: one array task for each data file, line or combination, gathered into a folder each and a table."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.e2e.far_side import accounted, content, is_there, job_folder, slurm, submit, wait_until, write_job

if TYPE_CHECKING:
    from pathlib import Path

    from demo.grid import Grid

pytestmark = pytest.mark.slurm

#: Names that a careless shell would take apart, run, or read as an option.
_AWKWARD = ("plain.txt", "two words.txt", "it's.txt", "$(touch pwned).txt", "-n.txt", "star*.txt", 'quo"te.txt')


def _table(folder: Path) -> list[dict[str, str]]:
    with (folder / "tasks.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def _gathered(grid: Grid, campaign: str, folder: Path) -> Path:
    """Fetch a campaign's results once all of its parts have ended; return their folder."""
    done = wait_until(lambda: _fetched_or_none(grid, campaign, folder), what="the campaign's results")
    assert done, "no results"
    return folder / campaign


def _fetched_or_none(grid: Grid, campaign: str, folder: Path) -> Any:
    done = grid.client("-r", campaign, folder=folder)
    assert done.returncode in (0, 12), done.stderr
    return done if done.returncode == 0 else None


def test_one_task_for_each_file_whatever_its_name(grid: Grid, tmp_path: Path) -> None:
    """Each file is counted by a task of its own; it comes back in a folder of its own, with a line in the table."""
    data = tmp_path / "data"
    data.mkdir()
    for number, name in enumerate(_AWKWARD, 1):
        (data / name).write_text("word " * number)
    (tmp_path / "unrelated.bin").write_text("stays here")
    campaign = submit(
        grid,
        tmp_path,
        for_each="data/*.txt",
        execution=["mkdir -p counts", "wc -w < {file} > counts/{stem}.count", "echo 'task {index}'"],
        output=["counts/{stem}.count"],
    )
    results = _gathered(grid, campaign, tmp_path)
    rows = {row["name"]: row for row in _table(results)}
    assert set(rows) == set(_AWKWARD)
    for number, name in enumerate(_AWKWARD, 1):
        row = rows[name]
        own = results / row["folder"]
        assert (own / "counts" / f"{name.removesuffix('.txt')}.count").read_text().strip() == str(number)
        assert f"task {row['index']}" in (own / "slurm.out").read_text()
        assert (row["state"], row["exit_code"], row["missing"]) == ("COMPLETED", "0:0", "")
        assert row["files"] == "3"
    there = job_folder(grid, campaign) / "work"
    assert is_there(grid, there)
    assert not is_there(grid, there / "pwned")
    assert not is_there(grid, there / "unrelated.bin")


def test_a_table_split_into_arrays_that_run_one_after_the_other(grid: Grid, tmp_path: Path) -> None:
    """Ten lines in arrays of four: three Slurm jobs, compiled once, throttled, the one task that fails told apart."""
    (tmp_path / "reads").mkdir()
    for number in range(10):
        (tmp_path / "reads" / f"{number}.fq").write_text(f"read {number}\n")
    lines = [f"s{number},reads/{number}.fq,{number / 2}" for number in range(10)]
    (tmp_path / "samples.csv").write_text("\n".join(["sample,reads,dose", *lines]) + "\n")
    campaign = submit(
        grid,
        tmp_path,
        for_each={"csv": "samples.csv", "bring": ["reads"], "tasks_per_array": 4, "at_once": 2},
        compilation=["echo once >> compiled.log"],
        execution=["test {sample} != s6 || exit 3", 'echo "{sample} {dose} $(cat {reads})" > {sample}.out'],
        output=["{sample}.out", "compiled.log"],
    )
    results = _gathered(grid, campaign, tmp_path)
    rows = _table(results)
    assert [row["sample"] for row in rows] == [f"s{number}" for number in range(10)]
    assert [row["state"] for row in rows if row["sample"] != "s6"] == ["COMPLETED"] * 9
    failed = rows[6]
    assert (failed["state"], failed["exit_code"], failed["missing"]) == ("FAILED", "3:0", "s6.out")
    told = grid.client("explain", campaign[:8]).stdout
    assert told.splitlines()[0] == f"{campaign}  Task 7 of 10 ended by itself with exit code 3."
    assert (results / rows[9]["folder"] / "s9.out").read_text() == "s9 4.5 read 9\n"
    assert (results / "compiled.log").read_text() == "once\n"
    parts = _parts(grid, campaign)
    assert [part["campaign"]["indexes"] for part in parts] == ["1-4", "5-8", "9-10"]
    assert len({part["slurm_job_id"] for part in parts}) == 3
    for part in parts:
        assert len(accounted(grid, part["job_uuid"], "JobID")) in (2, 4)
    _, second, third = (_span(grid, part["job_uuid"]) for part in parts)
    assert second[1] <= third[0], "a throttled campaign has one array running at a time"
    (mail,) = wait_until(lambda: [mail for part in parts for mail in grid.mails(part["job_uuid"])], what="the digest")
    assert str(mail["Subject"]).strip() == f"FAILED (1 of 10 tasks): {campaign} ({grid.info.name})"


def _parts(grid: Grid, campaign: str) -> list[dict[str, Any]]:
    """Return the parts of a campaign as the registry lists them, in their order."""
    url = f"{grid.registry_url}/jobs?campaign={campaign}"
    listed = requests.get(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10).json()
    return sorted(listed, key=lambda part: int(part["campaign"]["indexes"].partition("-")[0]))


def _span(grid: Grid, job_uuid: str) -> tuple[str, str]:
    """Return when the first task of an array began and its last ended."""
    rows = accounted(grid, job_uuid, "Start,End")
    return min(row.split("|")[0] for row in rows), max(row.split("|")[1] for row in rows)


def test_a_matrix_of_values_needs_no_file(grid: Grid, tmp_path: Path) -> None:
    """Every combination is a task; --json tells files and what is missing."""
    campaign = submit(
        grid,
        tmp_path,
        for_each={"matrix": {"alpha": [0.1, 0.2], "seed": [1, 2, 3]}},
        execution=["echo {alpha}-{seed} > {index}.txt"],
        output=["{index}.txt"],
    )
    results = _gathered(grid, campaign, tmp_path)
    rows = _table(results)
    assert [(row["alpha"], row["seed"]) for row in rows] == [(a, s) for a in ("0.1", "0.2") for s in ("1", "2", "3")]
    assert (results / rows[5]["folder"] / "6.txt").read_text() == "0.2-3\n"
    assert rows[5]["folder"] == "tasks/00006-0.2_3"


def test_all_that_is_wrong_with_a_campaign_is_told_before_anything_is_sent(grid: Grid, tmp_path: Path) -> None:
    """Unknown placeholders and outputs that meet: exit 3, at their lines, and no record of a submission."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder in ("a", "b"):
        (tmp_path / folder / "x.csv").write_text("1")
    path = write_job(
        tmp_path, for_each=["*/x.csv"], execution=["cat {fiel} > {stem}.out", "echo {{fiel}}"], output=["{stem}.out"]
    )
    before = len(list((grid.home / "jobs").glob("*")))
    done = grid.client("-u", str(path), *grid.job_settings(), folder=tmp_path)
    assert done.returncode == 3
    assert "{fiel} is no placeholder here. Did you mean {file}?" in done.stderr
    assert "tasks 1 and 2 would both leave x.out" in done.stderr
    assert len(list((grid.home / "jobs").glob("*"))) == before


def test_waiting_for_a_campaign_counts_all_of_its_tasks(grid: Grid, tmp_path: Path) -> None:
    """--wait tells how many of all tasks have ended, and exits 13 when one of them did not end well."""
    each = {"matrix": {"n": [1, 2, 3, 4, 5]}, "tasks_per_array": 2}
    path = write_job(tmp_path, for_each=each, execution=["test {n} != 4"])
    done = grid.client("-u", str(path), *grid.job_settings(), "--wait", folder=tmp_path)
    assert done.returncode == 13, done.stderr
    assert "5 of 5 tasks have ended: 4 COMPLETED, 1 FAILED" in done.stderr
    assert "4 of 5 tasks ended well" in done.stderr
    dry = grid.client("-u", str(path), *grid.job_settings(), "--dry-run", folder=tmp_path)
    assert "#SBATCH --array=1-2" in dry.stdout
    assert 'test "${TASK_N}" != 4' in dry.stdout


def test_a_campaign_is_extended_and_its_failed_tasks_run_again_alone(grid: Grid, tmp_path: Path) -> None:
    """New files become tasks with the next numbers; --failed repeats only what failed; the last attempt counts."""
    (tmp_path / "data").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "data" / f"{name}.txt").write_text(f"{name}\n")
    campaign = submit(
        grid,
        tmp_path,
        for_each="data/*.txt",
        compilation=["touch compiled"],
        execution=["echo {name} >> attempts.log", "test {stem} != b -o -e mended || exit 4", "cp {file} {stem}.out"],
        output=["{stem}.out"],
    )
    (tmp_path / "data" / "d.txt").write_text("d\n")
    more = grid.client("extend", campaign, "data/*.txt", folder=tmp_path)
    assert more.returncode == 0, more.stderr
    rows = _table(_gathered(grid, campaign, tmp_path))
    assert [(row["name"], row["state"]) for row in rows] == [
        ("a.txt", "COMPLETED"), ("b.txt", "FAILED"), ("c.txt", "COMPLETED"), ("d.txt", "COMPLETED"),
    ]  # fmt: skip
    work = job_folder(grid, campaign) / "work"
    grid.site.run(["touch", str(work / "mended")])
    again = grid.client("extend", campaign[:8], "--failed", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    results = _gathered(grid, campaign, tmp_path)
    rows = _table(results)
    assert [row["state"] for row in rows] == ["COMPLETED"] * 4
    assert (results / rows[1]["folder"] / "b.out").read_text() == "b\n"
    assert sorted(content(grid, work / "attempts.log").split()) == ["a.txt", "b.txt", "b.txt", "c.txt", "d.txt"]
    nothing = grid.client("extend", campaign, "data/*.txt", folder=tmp_path)
    assert (nothing.returncode, "nothing to add" in nothing.stdout) == (0, True)
    refused = grid.client("extend", campaign, folder=tmp_path)
    assert refused.returncode == 2


def test_a_campaign_is_steered_by_its_uuid(grid: Grid, tmp_path: Path) -> None:
    """wait, status, logs, export, resubmit and clean take it as one, with its own numbers for tasks."""
    (tmp_path / "data").mkdir()
    for name in "abcde":
        (tmp_path / "data" / f"{name}.txt").write_text(f"{name}\n")
    campaign = submit(
        grid,
        tmp_path,
        for_each={"files": "data/*.txt", "tasks_per_array": 2},
        execution=["echo this is {index}: {stem}", "cat {file}", "test {stem} != d"],
        job_name="letters",
    )
    waited = grid.client("wait", campaign[:8], "--json")
    assert waited.returncode == 1, waited.stderr
    (end,) = json.loads(waited.stdout)
    assert (end["job_uuid"], end["outcome"], end["message"]) == (campaign, "FAILED", "4 of 5 tasks ended well")
    assert [part["outcome"] for part in end["parts"]] == ["COMPLETED", "FAILED", "COMPLETED"]
    plainly = grid.client("wait", campaign)
    assert plainly.stdout == f"{campaign}  FAILED  1  4 of 5 tasks ended well\n"
    status = wait_until(
        lambda: _told(grid, "status", campaign, "--tasks", containing="4 of 5 tasks"), what="the digest"
    )
    assert f"campaign   {campaign}  letters" in status
    assert [line.split()[0] for line in status.splitlines() if "0:0" in line or "1:0" in line] == list("12345")
    listed = json.loads(grid.client("list", "--campaign", campaign[:8], "--json").stdout)
    assert [job["campaign"]["indexes"] for job in listed] == ["5", "3-4", "1-2"]
    fourth = grid.client("logs", campaign, "--task", "4")
    assert (fourth.stdout.splitlines()[-2:], fourth.returncode) == (["this is 4: d", "d"], 0), fourth
    assert grid.client("logs", campaign, "--task", "9").returncode == 2
    packed = grid.client("export", campaign, "--to", str(tmp_path / "campaign.tar.gz"))
    assert packed.returncode == 0, packed.stderr
    again = grid.client("resubmit", campaign, "--failed-tasks", "--set", "execution=cat {file}", "--json")
    assert again.returncode == 0, again.stderr
    repeated = json.loads(again.stdout)["job_uuid"]
    own = ["--set", f"private_key={grid.info.ssh_key}", "--set", "execution=wc -c < {file}", "--wait"]
    whole = grid.client("-u", str(tmp_path / "campaign.tar.gz"), *own)
    assert whole.returncode == 0, whole.stderr
    assert "5 of 5 tasks have ended: 5 COMPLETED" in whole.stderr
    rows = _table(_gathered(grid, repeated, tmp_path))
    assert [(row["index"], row["name"], row["state"]) for row in rows] == [("4", "d.txt", "COMPLETED")]
    assert grid.client("clean", campaign, "--yes").returncode == 0
    assert not is_there(grid, job_folder(grid, campaign))


def _told(grid: Grid, *words: str, containing: str) -> str:
    """Return what a command prints once it says so."""
    printed = grid.client(*words).stdout
    return printed if containing in printed else ""


def test_a_campaign_is_cancelled_as_one(grid: Grid, tmp_path: Path) -> None:
    """Some tasks of several arrays by the campaign's numbers, then all, also those that wait for their turn."""
    campaign = submit(
        grid,
        tmp_path,
        for_each={"matrix": {"n": [1, 2, 3, 4, 5, 6]}, "tasks_per_array": 2, "at_once": 1},
        execution=["sleep 300"],
    )
    parts = _parts(grid, campaign)
    wait_until(lambda: all(part["slurm_job_id"] for part in _parts(grid, campaign)), what="three arrays")
    some = grid.client("cancel", campaign, "--task", "2-3")
    assert (some.returncode, some.stdout.split()) == (
        0, [parts[0]["job_uuid"], "cancelled", parts[1]["job_uuid"], "cancelled"],
    ), some.stderr  # fmt: skip
    wait_until(
        lambda: [part["counts"].get("CANCELLED", 0) for part in _parts(grid, campaign)] == [1, 1, 0],
        what="a cancelled task in each of two arrays",
    )
    done = grid.client("cancel", campaign, "--json")
    assert done.returncode == 0, done.stderr
    assert [result["verdict"] for result in json.loads(done.stdout)] == ["cancelled"] * 3
    ended = wait_until(lambda: all(part["ended"] for part in _parts(grid, campaign)) and _parts(grid, campaign))
    assert {part["outcome"] for part in ended} == {"CANCELLED"}
    assert slurm(grid, "squeue", "-h", *(f"--name={part['job_uuid']}" for part in parts)) == ""
