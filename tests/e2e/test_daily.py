"""What users type every morning: list, status, info and their like, on a real grid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.far_side import (
    UUID,
    is_there,
    job_folder,
    kill_logins,
    registry_job,
    slurm,
    submit,
    wait_for_mail,
    wait_for_state,
    wait_until,
)
from tests.terminal import Terminal

if TYPE_CHECKING:
    from demo.grid import Grid

pytestmark = pytest.mark.slurm
_ROOT = Path(__file__).resolve().parents[2]


def test_jobs_are_listed_and_their_state_told(grid: Grid, tmp_path: Path) -> None:
    """`list` narrows by label and by how jobs ended; `status` shows tasks, times and the reason of a failure."""
    lines = ["[ $SLURM_ARRAY_TASK_ID != 2 ] || { echo no disk >&2; exit 3; }"]
    resources = {"duration": "10m", "memory_per_thread": "100M", "nbr_jobs_in_array": 3}
    failing = submit(grid, tmp_path, job_name="daily-1", execution=lines, resources=resources)
    well = submit(grid, tmp_path, job_name="daily-2", execution=["true"])
    for job_uuid in (failing, well):
        wait_for_state(grid, job_uuid, "DONE")
    listed = grid.client("list", "--label", "daily-*")
    assert listed.returncode == 0, listed.stderr
    heading, *rows = [line.split() for line in listed.stdout.splitlines()]
    assert heading[:2] == ["JOB", "LABEL"]
    assert [row[0] for row in rows] == [well, failing]
    failed = grid.client("list", "--label", "daily-*", "--state", "failed", "--newer", "1h", "--json")
    assert [job["counts"] for job in json.loads(failed.stdout)] == [{"COMPLETED": 2, "FAILED": 1}]
    slip = grid.client("list", "--state", "faild")
    assert "No state faild is known here; did you mean failed?" in slip.stderr
    page = grid.client("list", "--label", "daily-*", "--limit", "1")
    assert well in page.stdout
    assert f"--after {well[:8]}" in page.stderr
    assert failing in grid.client("list", "--label", "daily-*", "--after", well[:8]).stdout
    status = grid.client("status", failing[:8])
    assert status.returncode == 0, status.stderr
    assert "FAILED" in status.stdout.splitlines()[1]
    assert any(line.split()[:3] == ["2", "FAILED", "3:0"] for line in status.stdout.splitlines())
    assert "no disk" in status.stdout
    both = grid.client("status", failing, well, "--json")
    assert [job["job_uuid"] for job in json.loads(both.stdout)] == [failing, well]
    nobody = grid.client("status", "ffffffff")
    assert (nobody.returncode, "no job of yours" in nobody.stderr) == (2, True)


def test_the_whole_grid_is_shown(grid: Grid, tmp_path: Path) -> None:
    """`info` shows the cluster, its four nodes with what is used, and the jobs that have not ended."""
    job_uuid = submit(grid, tmp_path, job_name="shown", execution=["sleep 60"])
    wait_for_state(grid, job_uuid, "RUNNING")
    info = grid.client("info")
    assert info.returncode == 0, info.stderr
    assert "TiB" in info.stdout or "GiB" in info.stdout
    assert sum(line.startswith(f"{grid.info.name}-") for line in info.stdout.splitlines()) == 4
    assert job_uuid in info.stdout
    document = json.loads(grid.client("info", grid.info.name, "--json").stdout)
    assert {node["gpus"] for node in document["clusters"][0]["status"]["nodes"]} == {2}
    assert {"allocated_memory_mib", "used_gpus"} <= set(document["clusters"][0]["status"]["nodes"][0])
    unknown = grid.client("info", f"{grid.info.name[:-2]}x")
    assert (unknown.returncode, f"Did you mean {grid.info.name}" in unknown.stderr) == (2, True)


def test_logs_are_followed_over_a_broken_connection(grid: Grid, tmp_path: Path) -> None:
    """`logs -f` from before the start to the end, byte for byte, though everything of the login is killed between."""
    loop = "do echo line $i; echo oops $i >&2; done"
    lines = [
        "printf '\\377 begin\\n'",
        f"for i in 1 2 3 4; {loop}",
        "until test -e go; do sleep 0.2; done",
        f"for i in 5 6 7 8; {loop}",
        "printf end",
    ]
    job_uuid = submit(grid, tmp_path, execution=lines)
    got = tmp_path / "got"
    with got.open("wb") as stdout:
        process = subprocess.Popen(
            grid.client_argv("logs", "-f", job_uuid[:8]),
            env={**os.environ, **grid.client_variables},
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: b"line 3\n" in got.read_bytes(), what="the third line")
        kill_logins(grid)
        slurm(grid, "touch", str(job_folder(grid, job_uuid) / "work" / "go"))
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "Trying again" in said
    assert got.read_bytes() == b"\xff begin\n" + b"".join(b"line %d\n" % n for n in range(1, 9)) + b"end"
    last = grid.client("logs", job_uuid, "--err", "--last", "2")
    assert last.stdout == "oops 7\noops 8\n"
    assert grid.client("logs", job_uuid, "--task", "1").returncode == 2


def test_waiting_and_watching_end_with_the_jobs(grid: Grid, tmp_path: Path) -> None:
    """`wait` passes on the exit code or the signal; `watch` prints each change and sums up."""
    long = submit(grid, tmp_path, execution=["sleep 300"])
    early = grid.client("wait", long, "--timeout", "1s")
    assert (early.returncode, "have not ended" in early.stderr) == (12, True)
    assert grid.client("cancel", long).returncode == 0
    failing = submit(grid, tmp_path, execution=["sleep 2; exit 7"], job_name="seven")
    killed = submit(grid, tmp_path, execution=["sleep 2; kill -KILL $$"])
    watched = grid.client("watch", failing, killed)
    assert watched.returncode == 0, watched.stderr
    assert "2 jobs: 2 FAILED" in watched.stdout
    assert any("seven" in line and "FAILED" in line for line in watched.stdout.splitlines())
    done = grid.client("wait", failing)
    assert (done.returncode, done.stdout.split()) == (7, [failing, "FAILED", "7"])
    both = grid.client("wait", killed, failing, "--json")
    assert (both.returncode, [end["exit_code"] for end in json.loads(both.stdout)]) == (137, [137, 7])


def test_a_table_at_a_terminal_is_drawn_anew_until_the_end(grid: Grid, tmp_path: Path) -> None:
    """`watch` shows short UUIDs, labels and states in place, each change at once, and sums up below."""
    job_uuid = submit(grid, tmp_path, execution=["sleep 3"], job_name="drawn")
    environment = {**os.environ, **grid.client_variables}
    with Terminal(grid.client_argv("watch", job_uuid), Path(), environment) as terminal:
        assert terminal.end() == 0, terminal.shown
    drawn = [line.split() for line in terminal.shown.split("\n") if line.startswith(job_uuid[:8])]
    assert {line[1] for line in drawn} == {"drawn"}
    states = list(dict.fromkeys(word for line in drawn for word in line if word in {"RUNNING", "COMPLETED"}))
    assert states == ["RUNNING", "COMPLETED"]
    assert terminal.shown.count("STATE") >= len(states)
    assert "1 job: 1 COMPLETED" in terminal.shown


def test_jobs_are_cancelled_wherever_they_are(grid: Grid, tmp_path: Path) -> None:
    """Tasks of a running array, the rest of it, and a job that is still being compiled; each is gone when told."""
    resources = {"duration": "10m", "memory_per_thread": "100M", "nbr_jobs_in_array": 4}
    array = submit(grid, tmp_path, execution=["sleep 300"], resources=resources)
    wait_for_state(grid, array, "RUNNING")
    some = grid.client("cancel", array[:8], "--task", "2-3")
    assert (some.returncode, some.stdout.split()) == (0, [array, "cancelled"]), some.stderr
    wait_until(lambda: registry_job(grid, array)["counts"].get("CANCELLED") == 2, what="two cancelled tasks")
    assert registry_job(grid, array)["counts"]["RUNNING"] == 2
    compiling = submit(grid, tmp_path, "--detach", execution=["true"], compilation=["sleep 300"])
    both = grid.client("cancel", array, compiling, "--json")
    assert both.returncode == 0, both.stderr
    assert {result["verdict"] for result in json.loads(both.stdout)} == {"cancelled"}
    assert wait_for_state(grid, array, "DONE")["outcome"] == "CANCELLED"
    assert wait_for_state(grid, compiling, "ERROR")["slurm_job_id"] is None
    again = grid.client("cancel", array)
    assert (again.returncode, again.stdout.split()) == (0, [array, "had", "ended", "CANCELLED"])


def _run_options(grid: Grid) -> list[str]:
    own = {"username": grid.info.ssh_user, "private_key": str(grid.info.ssh_key)}
    return [*_run_limits(grid), *(word for key, value in own.items() for word in ("--set", f"{key}={value}"))]


def _run_limits(grid: Grid) -> list[str]:
    return ["--mem", "400M", "--cluster", grid.info.name, "-t", "10m"]


def test_a_command_runs_there_as_if_it_were_here(grid: Grid) -> None:
    """Its words as they are, both outputs apart and byte for byte, its exit code; on two nodes by srun.

    Who one is there, and with which key, is known from the last submission.
    """
    script = 'printf "%s\\n" "$@"; echo oops >&2; exit 5'
    words = ["a  b", "$HOME", "it's", "*", "", 'q"q', "two\nlines"]
    done = grid.client("run", *_run_options(grid), "--", "sh", "-c", script, "sh", *words)
    assert done.returncode == 5, done.stderr
    assert done.stdout == "".join(f"{word}\n" for word in words)
    assert "oops" in done.stderr.splitlines()
    spread = ["run", *_run_limits(grid), "-n", "2", "-p", "2", "sh", "-c", "echo $SLURM_PROCID $SLURMD_NODENAME"]
    several = grid.client(*spread)
    assert several.returncode == 0, several.stderr
    placed = [line.split() for line in several.stdout.splitlines()]
    assert sorted(number for number, _ in placed) == ["0", "1", "2", "3"]
    assert sorted(Counter(node for _, node in placed).values()) == [2, 2]


def test_ctrl_c_cancels_a_command_after_asking(grid: Grid) -> None:
    """`--yes` is the answer here: exit 130, and the job is cancelled; --detach leaves one alone with its mails."""
    process = subprocess.Popen(
        grid.client_argv("run", *_run_options(grid), "--yes", "--", "sh", "-c", "echo begun; sleep 300"),
        env={**os.environ, **grid.client_variables},
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    job_uuid = UUID.findall(said)[0]
    assert f"{job_uuid}  cancelled" in said
    assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "CANCELLED"
    detached = grid.client("run", *_run_options(grid), "--detach", "--name", "alone", "--", "true")
    assert detached.returncode == 0, detached.stderr
    wait_for_mail(grid, UUID.findall(detached.stdout)[0], "COMPLETED")


def test_a_job_is_exported_submitted_again_and_cleaned_away(grid: Grid, tmp_path: Path) -> None:
    """One reproducible file that `submit` takes; failed tasks alone, with lineage; folders go once fetched."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "data.txt").write_text("42\n")
    lines = ["cat data.txt", "[ $SLURM_ARRAY_TASK_ID = 1 ]"]
    resources = {"duration": "10m", "memory_per_thread": "100M", "nbr_jobs_in_array": 2}
    first = submit(grid, tmp_path, job="source", execution=lines, compilation=["echo x > made"], resources=resources)
    wait_for_state(grid, first, "DONE")
    packed = [grid.client("export", first[:8], "--to", str(tmp_path / name), "--json") for name in ("one", "two")]
    assert [done.returncode for done in packed] == [0, 0], packed[0].stderr
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    again = grid.client("resubmit", first, "--failed-tasks", "--set", "resources.duration=20m", "--json")
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert {one["key"]: one["after"] for one in told["differences"]} == {
        "resources.duration": "20m",
        "resources.nbr_jobs_in_array": {"ids": "2"},
    }
    (source / "data.txt").write_text("changed since\n")
    own = ["--set", f"private_key={grid.info.ssh_key}", "--set", "resources.nbr_jobs_in_array=null"]
    from_file = grid.client("submit", "-u", str(tmp_path / "one"), *own, "--set", "execution=cat data.txt", "--wait")
    assert from_file.returncode == 0, from_file.stderr
    assert grid.client("logs", UUID.findall(from_file.stdout)[0]).stdout == "42\n"
    assert wait_for_state(grid, told["job_uuid"], "DONE")["resubmission_of"] == first
    assert registry_job(grid, told["job_uuid"])["job_status"]["JobID"][0].endswith("_2")
    assert grid.client("clean", first, "--no-input").returncode == 2
    assert is_there(grid, job_folder(grid, first))
    assert grid.client("-r", first, "--to", str(tmp_path / "results")).returncode == 0
    cleaned = grid.client("clean", "--yes", "--json")
    assert cleaned.returncode == 0, cleaned.stderr
    assert first in [one["job_uuid"] for one in json.loads(cleaned.stdout) if not one["kept"]]
    assert not is_there(grid, job_folder(grid, first))
    gone = grid.client("-r", first, "--to", str(tmp_path / "results"))
    assert (gone.returncode, "removed by `clean`" in gone.stderr) == (14, True)
    assert not is_there(grid, job_folder(grid, first))
