"""The Python interface: the examples of its page, run as they stand there, and what they do not show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.far_side import UUID

if TYPE_CHECKING:
    from demo.grid import Grid

pytestmark = pytest.mark.slurm
_ROOT = Path(__file__).resolve().parents[2]
_EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def _python(grid: Grid, folder: Path, program: str) -> str:
    """Run a program as a user who has Gridferry installed and configured; return what it prints."""
    environment = {**os.environ, **grid.client_variables, "PYTHONPATH": str(_ROOT)}
    argv = [sys.executable, "-c", program]
    done = subprocess.run(
        argv,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _write_job(grid: Grid, folder: Path, **keys: object) -> None:
    """Write the job file the examples speak of."""
    document = {
        "username": grid.info.ssh_user,
        "private_key": str(grid.info.ssh_key),
        "user_mail": "ada@example.org",
        "destination_cluster": grid.info.name,
        "execution": ["echo 42 > answer.txt"],
        "output": ["answer.txt"],
        "resources": {"memory_per_thread": "100M"},
        **keys,
    }
    (folder / "input.yml").write_text(yaml.safe_dump(document))


def test_every_example_of_the_page_runs(grid: Grid, tmp_path: Path) -> None:
    """In their order, as one program; what they print is what the page says they are about."""
    _write_job(grid, tmp_path)
    examples = _EXAMPLE.findall((_ROOT / "docs" / "python.md").read_text())
    assert len(examples) == 6
    printed = _python(grid, tmp_path, "\n".join(examples))
    assert (tmp_path / "results" / "answer.txt").read_text() == "42\n"
    assert "COMPLETED results ['answer.txt'" in printed
    assert "6 COMPLETED " in printed
    assert "0.2 3 COMPLETED True" in printed
    assert "the job ended as FAILED (exit code 3:0)" in printed


def test_a_campaign_is_extended_and_repeated_from_python(grid: Grid, tmp_path: Path) -> None:
    """New files become tasks; with all of them well there is nothing to repeat; a plain job cannot be extended."""
    _write_job(grid, tmp_path, for_each="*.dat", execution=["test -s {file}"], output=[])
    (tmp_path / "a.dat").write_text("1")
    (tmp_path / "b.dat").write_text("2")
    program = """
from project import Client, Job
from project.core.errors import UsageError
client = Client()
job: Job = client.submit("input.yml", settings={"for_each": "a.dat"}).wait()
print(job.uuid, job.extend(["a.dat"]), job.extend(["*.dat"]))
job = job.wait()
print(job.repeat_failed(), [(task.number, task.state) for task in job.tasks()])
plain = client.submit({key: value for key, value in job.document["user_input"].items() if key != "for_each"} | {
    "private_key": "%s", "execution": "true"})
try:
    plain.extend(["a.dat"])
except UsageError as error:
    print(error.message)
"""
    printed = _python(grid, tmp_path, program % grid.info.ssh_key)
    assert UUID.match(printed)
    assert "False True" in printed
    assert "False [('1', 'COMPLETED'), ('2', 'COMPLETED')]" in printed
    assert "is no campaign" in printed
