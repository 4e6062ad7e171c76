"""The user's guide: its files are written and its commands run, in their order, as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from project.core.job_file.validate import validate
from tests.e2e.far_side import UUID, wait_until

if TYPE_CHECKING:
    from demo.grid import Grid

pytestmark = pytest.mark.slurm
_ROOT = Path(__file__).resolve().parents[2]
_GUIDE = (_ROOT / "docs" / "guide.md").read_text()
_FILES = re.compile(r"`(\w+\.yml)`:\n\n```yaml\n(.*?)```", re.DOTALL)
_SNIPPETS = re.compile(r"```yaml\n(for_each.*?)```", re.DOTALL)
_COMMANDS = re.compile(r"^\$ (.*)$", re.MULTILINE)
#: The UUIDs that stand for the reader's own, in the order of their submission.
_SHOWN = ("3f2b1c0e", "9a41d7c2")


class Reader:
    """Somebody who follows the guide, on a grid."""

    def __init__(self, grid: Grid, folder: Path) -> None:
        self._grid = grid
        self._folder = folder
        self._own: dict[str, str] = {}

    def write(self, name: str, text: str) -> None:
        """Write a file of the guide, with what differs for every reader."""
        info = self._grid.info
        own = {
            "username": info.ssh_user,
            "private_key": str(info.ssh_key),
            "user_mail": "ada@example.org",
            "destination_cluster": info.name,
        }
        (self._folder / name).write_text(yaml.safe_dump({**yaml.safe_load(text), **own}))

    def type(self, command: str) -> tuple[int, str]:
        """Type a command; return its exit code and what it prints."""
        for shown, own in self._own.items():
            command = command.replace(shown, own)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, **self._grid.client_variables, "PYTHONPATH": str(_ROOT), "PATH": path}
        done = subprocess.run(
            ["bash", "-c", command], cwd=self._folder, env=environment, capture_output=True, text=True,
            timeout=120, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        if re.match(r"gridferry -u \S+$", command):
            self._own[_SHOWN[len(self._own)]] = UUID.findall(done.stdout)[0][:8]
        return done.returncode, done.stdout + done.stderr

    def follow(self, command: str) -> str:
        """Type a command as often as a patient reader would: results are there once the job has ended."""

        def tried() -> str:
            code, printed = self.type(command)
            assert code in ((0, 12) if command.startswith("gridferry -r") else (0,)), f"{command}: {printed}"
            return "" if code else printed or "-"

        return str(wait_until(tried, what=command))


def test_every_command_of_the_guide_works(grid: Grid, tmp_path: Path) -> None:
    """From the first job to a campaign that is extended and repeated; what they print is what the guide says."""
    reader = Reader(grid, tmp_path)
    (tmp_path / "data").mkdir()
    for name, text in (("one", "a"), ("two", "a b"), ("none", "")):
        (tmp_path / "data" / f"{name}.txt").write_text(text)
    for name, text in _FILES.findall(_GUIDE):
        reader.write(name, text)
    printed: dict[str, str] = {}
    for command in _COMMANDS.findall(_GUIDE):
        if command.startswith("gridferry extend") and "--failed" not in command:
            (tmp_path / "data" / "three.txt").write_text("a b c")
        printed[command] = reader.follow(command)
    assert printed["cat first/answer.txt"] == "6 * 7 = 42\n"
    rows = sorted(line.split(",") for line in printed["cat words/tasks.csv"].splitlines()[1:])
    assert [(row[2], row[4]) for row in rows] == [
        ("none.txt", "FAILED"), ("one.txt", "COMPLETED"), ("two.txt", "COMPLETED"), ("three.txt", "COMPLETED"),
    ]  # fmt: skip
    assert (tmp_path / "words" / "tasks" / "00004-three" / "counts" / "three.txt").read_text().strip() == "3"
    assert "added to the campaign" in printed["gridferry extend 9a41d7c2 --failed"]


@pytest.mark.parametrize("snippet", _SNIPPETS.findall(_GUIDE))
def test_every_snippet_of_the_guide_is_right(snippet: str) -> None:
    """Beside the least of other keys."""
    least = {"username": "x", "user_mail": "x@example.org", "destination_cluster": "x", "execution": "true"}
    assert validate({**least, **yaml.safe_load(snippet)}, source="guide").for_each
