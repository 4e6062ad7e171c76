"""`clusters`: what is known of each, asked anew, and what is wrong with nodes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from project.core.messages import parse_utc
from tests.e2e.far_side import slurm

if TYPE_CHECKING:
    from demo.grid import Grid

pytestmark = pytest.mark.slurm


def _refreshed(grid: Grid, *options: str) -> tuple[str, str]:
    settings = ["--set", f"username={grid.info.ssh_user}", "--set", f"private_key={grid.info.ssh_key}"]
    done = grid.client("clusters", "--refresh", *settings, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_node_in_trouble_is_told_with_its_reason_and_since_when(grid: Grid) -> None:
    """--refresh asks the cluster itself; the registry has it for everybody then."""
    node = f"{grid.info.name}-1"
    slurm(grid, "scontrol", "update", f"nodename={node}", "state=drain", "reason=bad fan")
    try:
        printed, _ = _refreshed(grid)
        listed = json.loads(grid.client("clusters", "--json").stdout)
    finally:
        slurm(grid, "scontrol", "update", f"nodename={node}", "state=resume")
    row = next(line for line in printed.splitlines() if line.startswith(f"{grid.info.name}  {node}"))
    assert "drain" in row
    assert "bad fan" in row
    status = next(cluster["status"] for cluster in listed if cluster["name"] == grid.info.name)
    ill = next(each for each in status["nodes"] if each["name"] == node)
    assert ill["reason"] == "bad fan"
    assert 0 <= parse_utc(status["taken_at"]) - parse_utc(ill["since"]) < 120
    assert [each["since"] for each in status["nodes"] if each["name"] != node] == ["", "", ""]
    printed, _ = _refreshed(grid)
    assert "bad fan" not in printed


def test_a_cluster_that_cannot_be_asked_keeps_its_status(grid: Grid) -> None:
    """What was in the way is told; the others are asked all the same."""
    _refreshed(grid)
    done = grid.client("clusters", "--refresh", "--set", "username=nobody-of-this-name", "--json")
    assert done.returncode == 0
    assert f"{grid.info.name}: " in done.stderr
    assert all(cluster["status"]["nodes"] for cluster in json.loads(done.stdout) if cluster["name"] == grid.info.name)
