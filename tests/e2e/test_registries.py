"""Whoever has jobs at two registries, and one account on the cluster of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.contract.processes import poll
from tests.contract.registry_process import RegistryProcess
from tests.e2e.far_side import UUID, submit, wait_for_state, write_job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.grid import Grid

pytestmark = [pytest.mark.slurm, pytest.mark.needs("sandbox")]


@pytest.fixture
def other(grid: Grid, tmp_path: Path) -> Iterator[RegistryProcess]:
    """A second registry that knows the same cluster."""
    registry = RegistryProcess(tmp_path / "other")
    registry.add_user("ann")
    registry.add_user("root", admin=True)
    headers = {"Authorization": f"Bearer {grid.token}"}
    answer = requests.get(f"{grid.registry_url}/clusters", headers=headers, timeout=10)
    (known,) = (cluster for cluster in answer.json() if cluster["name"] == grid.info.name)
    with registry.started():
        keys = ("hostname", "port", "host_keys", "job_root")
        registry.put_cluster(grid.info.name, **{key: known[key] for key in keys})
        yield registry


def test_each_registry_hears_of_its_own_jobs(grid: Grid, other: RegistryProcess, tmp_path: Path) -> None:
    """Submitted in turn, and at work at the same time: every end is told where the job was submitted."""
    (tmp_path / "there").mkdir()
    first = submit(grid, tmp_path, execution=["sleep 4"])
    path = write_job(tmp_path / "there", execution=["sleep 2"])
    at_other = {"GRIDFERRY_REGISTRY": other.url, "GRIDFERRY_TOKEN": other.tokens["ann"]}
    words = [*grid.job_settings(), "--set", "user_mail=ann@example.org", "--fresh"]
    done = grid.client("-u", str(path), *words, variables=at_other)
    assert done.returncode == 0, done.stderr
    (second, *_) = UUID.findall(done.stdout)
    poll(lambda: other.job(second)["state"] == "DONE", "the other registry knows of the end", 60)
    wait_for_state(grid, first, "DONE")
    assert other.call("GET", f"/jobs/{first}").status_code == 404
