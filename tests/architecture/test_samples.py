"""The samples and the published pages: they are what the code says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from project.adapters.modules import find_modules
from project.adapters.source import locate_job
from project.adapters.user_input import load
from project.core.job_file.fields import json_schema
from project.core.job_file.validate import validate
from project.core.module_steps import STAGES, parse_modules
from project.core.states import GatewayState
from tests.unit.core.schema import accepts

_ROOT = Path(__file__).resolve().parents[2]


def test_the_sample_job_file_is_right() -> None:
    """For the validator and for the published schema; the job it names is there."""
    loaded = load(_ROOT / "user_input_sample.yml")
    spec = validate(loaded.document, source=loaded.source, lines=loaded.lines)
    assert spec.expected_tasks > 1
    assert locate_job(spec.job, loaded.folder) == _ROOT / "examples" / "primes"
    published = json.loads((_ROOT / "docs" / "job-file.schema.json").read_text())
    assert published == json_schema()
    assert accepts(published, loaded.document)


def test_the_sample_modules_file_is_right() -> None:
    """A module at each stage, and every file is there."""
    loaded = load(_ROOT / "modules_sample.yml")
    steps = parse_modules(loaded.document, source=loaded.source, lines=loaded.lines)
    files = find_modules(steps, source=loaded.source, lines=loaded.lines)
    assert {step.stage for step in steps} == set(STAGES)
    assert set(files) == {step.module for step in steps}


def test_the_reference_pages_are_up_to_date() -> None:
    """They are written from the tables in the code."""
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"], cwd=_ROOT, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(_ROOT), "PATH": "/usr/bin:/bin"}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_protocol_names_every_state() -> None:
    """Those Gridferry gives itself, in the table of job states."""
    table = re.findall(r"^\| (?:Slurm's .*: )?`([A-Z]+)`", (_ROOT / "docs" / "protocol.md").read_text(), re.MULTILINE)
    assert {state.value for state in GatewayState} <= set(table)
