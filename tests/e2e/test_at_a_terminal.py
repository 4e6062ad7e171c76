"""What only a person at a real terminal sees: questions, and answers that are not echoed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.contract.processes import free_port
from tests.e2e.far_side import UUID, submit, wait_for_state, write_job
from tests.terminal import Terminal

if TYPE_CHECKING:
    from demo.grid import Grid

pytestmark = pytest.mark.slurm
_ROOT = Path(__file__).resolve().parents[2]
_PASSPHRASE = "open sesame"


def _client(grid: Grid, *arguments: str, folder: Path) -> Terminal:
    environment = {**os.environ, **grid.client_variables, "PYTHONPATH": str(_ROOT)}
    return Terminal(grid.client_argv(*arguments), folder, environment)


def test_a_cluster_is_tried_again_named_and_picked(grid: Grid, tmp_path: Path) -> None:
    """One that refuses may be tried anyway, another name typed, or one picked by its number; the job runs there."""
    preferred = grid.info.cluster_document()["preferred_jobs"][:1]
    grid.register(grid.info, name="lost", port=free_port(), preferred_jobs=preferred)
    path = write_job(tmp_path, execution=["true"])
    settings = grid.job_settings(destination_cluster="lost")
    try:
        with _client(grid, "-u", str(path), *settings, "--fresh", folder=tmp_path) as terminal:
            terminal.answer("Which cluster?", "lost")
            terminal.answer("Which cluster?", f"{grid.info.name}x")
            terminal.answer(f"Did you mean {grid.info.name}?", "1")
            assert terminal.end() == 0, terminal.shown
            shown = terminal.shown
    finally:
        url = f"{grid.registry_url}/clusters/lost"
        requests.delete(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10)
    assert shown.count("lost does not answer") == 2
    job = wait_for_state(grid, UUID.findall(shown)[-1], "DONE")
    assert job["destination_cluster"]["name"] == grid.info.name


def test_a_key_that_is_gone_is_asked_for_and_its_passphrase_not_shown(grid: Grid, tmp_path: Path) -> None:
    """Fetching asks for the path of another key; what is typed as its passphrase appears nowhere."""
    gone, other = tmp_path / "gone", tmp_path / "other"
    for copy in (gone, other):
        shutil.copy(grid.info.ssh_key, copy)
        copy.chmod(0o600)
    locked = ["ssh-keygen", "-q", "-p", "-P", "", "-N", _PASSPHRASE, "-f", str(other)]
    subprocess.run(locked, check=True, stdout=subprocess.DEVNULL, timeout=30)
    keys = {"private_key": str(gone)}
    job_uuid = submit(grid, tmp_path, settings=keys, execution=["echo 1 > out.txt"], output=["out.txt"])
    wait_for_state(grid, job_uuid, "DONE")
    gone.unlink()
    with _client(grid, "-r", job_uuid, folder=tmp_path) as terminal:
        terminal.answer(f"{gone} is no longer there. Path of the key to use", str(other))
        terminal.answer(f"Passphrase of {other}", _PASSPHRASE)
        assert terminal.end() == 0, terminal.shown
        assert _PASSPHRASE not in terminal.shown
    assert (tmp_path / job_uuid / "out.txt").read_text() == "1\n"
