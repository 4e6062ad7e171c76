"""Another workload manager is one row in the registry of engines and one folder beside core/slurm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def test_an_engine_is_added_by_a_row_and_a_folder(tmp_path: Path) -> None:
    """A copy with a second engine validates its cluster, and takes a job there to its end, by its own commands."""
    copy = tmp_path / "copy"
    shutil.copytree(_ROOT / "project", copy / "project", ignore=shutil.ignore_patterns("__pycache__"))
    engines, row = copy / "project/core/engines.py", '    "slurm": SlurmEngine(),\n'
    text = engines.read_text()
    assert text.count(row) == 1
    imported = "from project.core.tiny import TinyEngine\n"
    engines.write_text(
        text.replace(row, f'{row}    "tiny": TinyEngine(),\n').replace("\nDEFAULT", f"{imported}\nDEFAULT")
    )
    (copy / "project/core/tiny").mkdir()
    shutil.copy(_ROOT / "tests/fakes/tiny_engine.py", copy / "project/core/tiny/__init__.py")
    environment = {**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{_ROOT}"}
    argv = [sys.executable, "-m", "tests.contract.tiny_cluster", str(tmp_path)]
    done = subprocess.run(
        argv, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    came = json.loads(done.stdout)
    assert came["exits"] == [0, 0], came["errors"]
    assert came["starts"] == ["1"]
    assert came["told"] == [
        "CREATED", "UPLOADED", "PREPROCESSING", "COMPILING", "SUBMITTED", "PENDING", "RUNNING", "COMPLETED",
        "POSTPROCESSING", "DONE",
    ]  # fmt: skip
