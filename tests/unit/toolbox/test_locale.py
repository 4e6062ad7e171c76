"""The toolbox on a login node with a locale of yesterday."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project.adapters.archive import TOOLBOX, Archive
from project.core.messages import LINE_PREFIX, PYTHON_OPTIONS
from tests.contract.ssh.test_ssh_results import note_end
from tests.contract.ssh.transfers import ODD_NAMES

_UUID = "3f2b1c0e-0000-4000-8000-000000000000"
_LEAST = {"username": "x", "user_mail": "x@example.org", "destination_cluster": "x", "execution": "true"}
_LOCALE = "en_US.ISO-8859-1"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a login whose locale is ISO 8859-1."""
    if not shutil.which("localedef") or not Path("/usr/share/i18n/charmaps/ISO-8859-1.gz").exists():
        pytest.skip("localedef and its charmaps are not here (apt-get install locales)")
    locales = tmp_path / "locales"
    locales.mkdir()
    subprocess.run(["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(locales / _LOCALE)], check=True)
    return {"LC_ALL": _LOCALE, "LOCPATH": str(locales), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}


def test_names_are_the_bytes_they_are(environment: dict[str, str], tmp_path: Path) -> None:
    """A manifest made under ISO 8859-1 names files as one made under UTF-8 does."""
    folder = tmp_path / "gridferry" / "jobs" / _UUID
    (folder / "work" / "out").mkdir(parents=True)
    for name in ODD_NAMES:
        (folder / "work" / "out" / name).touch()
    user_input = {**_LEAST, "output": ["out"], "resources": {"duration": "1m", "memory_per_thread": "1M"}}
    (folder / "spec.json").write_text(json.dumps({"user_input": user_input, "cluster": {"name": "x"}, "modules": []}))
    note_end(folder)
    archive = Archive(tmp_path / "cache", TOOLBOX)
    program = tmp_path / "gridferry" / "control" / archive.file_name
    program.parent.mkdir()
    program.write_bytes(archive.content)
    argv = [sys.executable, *PYTHON_OPTIONS, str(program), "results", _UUID]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=60)
    _, line = (line for line in done.stdout.splitlines() if line.startswith(LINE_PREFIX))
    listed = json.loads(line[len(LINE_PREFIX) :])["manifest"]["files"]
    assert sorted(entry["name"] for entry in listed) == sorted(f"out/{name}" for name in ODD_NAMES)
