"""An administrator's commands: a cluster is looked at and added, edited, drained and removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests

from tests.e2e.far_side import write_job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.grid import Grid

pytestmark = pytest.mark.slurm
_NAME = "newcomer"


@pytest.fixture
def added(grid: Grid) -> Iterator[str]:
    """The grid's cluster, added once more under another name by looking at it; what was printed."""
    keys = [
        f"name={_NAME}",
        f"port={grid.info.ssh_port}",
        "preferred_jobs=[mpi, smp]",
        f"job_root={grid.info.job_root}",
    ]
    try:
        done = grid.client("cluster", "add", grid.info.ssh_host, *keys, *_who(grid), "--yes", "--no-input")
        assert done.returncode == 0, done.stderr
        yield done.stdout
    finally:
        url = f"{grid.registry_url}/clusters/{_NAME}"
        requests.delete(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10)


def _who(grid: Grid) -> list[str]:
    return ["--set", f"username={grid.info.ssh_user}", "--set", f"private_key={grid.info.ssh_key}"]


def test_a_cluster_is_added_as_it_was_seen(grid: Grid, added: str) -> None:
    """With its host key, and what Slurm tells of partitions, limits, nodes and its status; it can be used at once."""
    assert any(line.split()[:2] == ["batch*", "UP"] for line in added.splitlines())
    assert any(line.split()[:2] == ["debug", "UP"] and "10m 0s" in line for line in added.splitlines())
    assert any(line.split()[0] == "4" and "gpu:2" in line for line in added.splitlines() if line.strip())
    assert "tasks an array" in added
    cluster = next(each for each in json.loads(grid.client("clusters", "--json").stdout) if each["name"] == _NAME)
    assert [key.split()[:2] for key in grid.info.host_keys] == [key.split()[:2] for key in cluster["host_keys"]]
    assert (cluster["preferred_jobs"], cluster["partition"], cluster["enabled"]) == (["mpi", "smp"], "", True)
    assert len(cluster["status"]["nodes"]) == 4
    again = grid.client(
        "cluster", "add", grid.info.ssh_host, f"name={_NAME}", f"port={grid.info.ssh_port}", *_who(grid)
    )
    assert (again.returncode, f"there is a cluster {_NAME}" in again.stderr) == (2, True)


def test_a_host_nobody_knows_is_not_added_without_a_yes_to_its_key(grid: Grid) -> None:
    """Its fingerprint is told; `--yes` is no answer to that question."""
    keys = [f"name={_NAME}", f"port={grid.info.ssh_port}"]
    done = grid.client("cluster", "add", "localhost", *keys, *_who(grid), "--yes", "--no-input")
    assert done.returncode != 0
    assert "SHA256:" in done.stderr
    assert _NAME not in [each["name"] for each in json.loads(grid.client("clusters", "--json").stdout)]


def test_a_cluster_is_edited_drained_and_removed(grid: Grid, added: str, tmp_path: Path) -> None:
    """A drained one takes no new job and says so; what cannot be is refused whole with its key."""
    assert f"{_NAME}: added" in added
    edited = grid.client("cluster", "edit", _NAME, "preferred_jobs=[serial]", "partition=debug", "--json")
    assert edited.returncode == 0, edited.stderr
    assert (json.loads(edited.stdout)["preferred_jobs"], json.loads(edited.stdout)["partition"]) == (
        ["serial"],
        "debug",
    )
    wrong = grid.client("cluster", "edit", _NAME, "preferred_jobs=[gpu]", "partition=batch", "colour=red")
    assert wrong.returncode != 0
    assert "preferred_jobs" in wrong.stderr
    assert "colour" in wrong.stderr
    assert "debug" in grid.client("cluster", "edit", _NAME).stdout
    path = write_job(tmp_path, execution=["true"])
    settings = grid.job_settings(destination_cluster=_NAME)
    assert grid.client("cluster", "drain", _NAME).returncode == 0
    refused = grid.client("-u", str(path), *settings, folder=tmp_path)
    assert (refused.returncode, f"{_NAME} takes no jobs" in refused.stderr) == (2, True)
    assert grid.client("cluster", "resume", _NAME).returncode == 0
    asked = grid.client("where", "-u", str(path), *settings, "--json", folder=tmp_path)
    assert [place["chosen"] for place in json.loads(asked.stdout)] == [True], asked.stderr
    assert grid.client("cluster", "remove", _NAME, "--yes").returncode == 0
    gone = grid.client("cluster", "drain", _NAME)
    assert (gone.returncode, "knows no cluster" in gone.stderr) == (2, True)
