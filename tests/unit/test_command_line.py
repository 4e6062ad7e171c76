"""What the command line says before any cluster or registry is asked: the real program, as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from project.adapters.records import Records
from project.intake import read_request
from project.ports import Stage

_ROOT = Path(__file__).resolve().parents[2]
_JOB = """
username: ada
user_mail: ada@example.org
destination_cluster: sandbox
execution: srun ./job
"""
_MODULES = """
staging:
  1:
    module: check.py
    execution: python3 check.py
"""


def _run(
    folder: Path, *arguments: str, python: tuple[str, ...] = (sys.executable,)
) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(_ROOT),
        "GRIDFERRY_HOME": str(folder / "home"),
        "GRIDFERRY_SETTINGS": str(folder / "settings.yml"),
        "GRIDFERRY_TOKEN": "not asked for",
    }
    return subprocess.run(
        [*python, "-m", "project", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_python_without_the_packages_says_what_to_do(tmp_path: Path) -> None:
    """Started outside of the virtual environment, it names the missing package and the way in; no traceback."""
    done = _run(tmp_path, "--help", python=(sys.executable, "-S"))
    assert done.returncode == 1
    assert "has no package" in done.stderr
    assert "make venv" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("-m", "modules.yml"), ("--set", "username=ada"), ("--wait",)])
def test_options_without_a_job_file_are_an_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Whoever forgets -u is told so, and a script sees exit 2; without any option the help is shown."""
    done = _run(tmp_path, *arguments)
    assert done.returncode == 2
    assert "-u input.yml" in done.stderr
    assert _run(tmp_path).returncode == 0


@pytest.mark.parametrize("arguments", [("--to", "results"), ("--overwrite",), ("--wait", "--to", "results")])
def test_where_results_go_is_for_those_that_are_fetched(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A submission that fetches nothing says so before anything is done; exit 2."""
    (tmp_path / "job.yml").write_text(_JOB)
    done = _run(tmp_path, "-u", "job.yml", *arguments)
    assert (done.returncode, "Add --fetch" in done.stderr) == (2, True)


def test_a_script_is_told_how_to_go_on_with_what_broke_off(tmp_path: Path) -> None:
    """An earlier try of the same file is not simply repeated: exit 2, and both ways on are named."""
    path, job_uuid = tmp_path / "job.yml", "12345678-0000-4000-8000-000000000000"
    path.write_text(_JOB)
    record = {"job_uuid": job_uuid, "stage": Stage.LAUNCHED, "created_at": "2026-11-21T10:00:00.000000Z"}
    tried = {"input_sha256": read_request(path, None, (), {}).sha256, "cluster": "sandbox", "job": {}}
    Records(tmp_path / "home" / "jobs").save({"schema": 1, **record, **tried})
    done = _run(tmp_path, "-u", "job.yml")
    assert done.returncode == 2
    assert f"Go on with it by --resume {job_uuid} (or --yes), or submit anew by --fresh" in done.stderr


def test_a_mistyped_command_is_recognised(tmp_path: Path) -> None:
    """The one that was probably meant is named."""
    done = _run(tmp_path, "lst")
    assert (done.returncode, "Did you mean list?" in done.stderr) == (2, True)
    assert "No such command 'xyzzy'" in _run(tmp_path, "xyzzy").stderr


@pytest.mark.parametrize("word", ["foo", "123", "12345678x", "../../etc", ""])
def test_what_is_no_uuid_is_told_before_the_registry_is_asked(tmp_path: Path, word: str) -> None:
    """-r with something else than a UUID is a mistake on the command line; exit 2."""
    done = _run(tmp_path, "retrieve", word)
    assert done.returncode == 2
    assert "is no job's UUID" in done.stderr


def test_problems_of_two_files_are_counted_in_one_sentence(tmp_path: Path) -> None:
    """The message names both files once."""
    (tmp_path / "job.yml").write_text("usernam: ada\n")
    (tmp_path / "modules.yml").write_text("stagin: 1\n")
    done = _run(tmp_path, "-u", "job.yml", "-m", "modules.yml")
    assert done.returncode == 3
    first = done.stderr.splitlines()[0]
    assert first.endswith("problems in job.yml and 1 problem in modules.yml; nothing was done")


def test_a_failed_staging_module_ends_a_script_with_its_own_exit_code(tmp_path: Path) -> None:
    """Where nobody can be asked, it is the module that failed, exit 4; --yes goes on without it."""
    (tmp_path / "job.yml").write_text(_JOB)
    (tmp_path / "modules.yml").write_text(_MODULES)
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "check.py").write_text("raise SystemExit('too many cores')\n")
    call = ("-u", "job.yml", "-m", "modules.yml", "--dry-run")
    done = _run(tmp_path, *call)
    assert done.returncode == 4
    assert done.stderr.count("too many cores") == 1
    assert "#SBATCH" not in done.stdout
    assert "#SBATCH" in _run(tmp_path, *call, "--yes").stdout


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)],
)
def test_colours_are_for_terminals_that_want_them(variables: dict[str, str], coloured: bool) -> None:
    """As https://no-color.org has it."""
    ours, theirs = os.openpty()
    environment = {**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": "xterm", **variables}
    subprocess.run(
        [sys.executable, "-m", "project", "submit"], env=environment, stderr=theirs, check=False, timeout=60
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "there is no job file" in shown
    assert ("\x1b[3" in shown) == coloured


@pytest.mark.parametrize("command", ["cancel", "logs", "extend", "clean", "retrieve"])
def test_a_key_that_would_have_no_effect_is_refused(tmp_path: Path, command: str) -> None:
    """What only logs in takes of a job file what says how, and does not go on without the rest."""
    done = _run(tmp_path, command, "3f2b1c0e", "--set", "execution=true", "--set", "username=ada")
    assert done.returncode == 2
    assert "execution has no effect here; it may be private_key or username" in done.stderr
