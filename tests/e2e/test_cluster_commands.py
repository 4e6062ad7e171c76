"""`make cluster-up` and `make cluster-down`, beside the clusters of the suite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from demo.docker.images import ROOT
from demo.docker.site import DockerSite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.grid import Grid

pytestmark = [pytest.mark.slurm, pytest.mark.needs("several hosts")]
_NAME = f"gf-at-home-{os.getpid()}"  # others may run this suite in the same engine
_LIMIT_S = 300


@pytest.fixture
def site(grid: Grid) -> Iterator[DockerSite]:
    """The suite's own clusters; the registry knows them again afterwards."""
    assert isinstance(grid.site, DockerSite)
    yield grid.site
    for cluster in grid.clusters:
        grid.register(cluster)


def _commanded(grid: Grid, action: str, *options: str) -> str:
    """Run what the target of the Makefile runs, with the grid's registry and token; return what it prints."""
    environment = {**os.environ, **grid.client_variables}
    argv = [sys.executable, "-m", "demo.docker", action, *options]
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, text=True, capture_output=True, check=False, timeout=_LIMIT_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _left(site: DockerSite) -> dict[str, set[str]]:
    """What there is on this machine of containers, in the engine's words and the kernel's."""
    lists = {
        "containers": ("ps", "--all", "--quiet", "--no-trunc"),
        "networks": ("network", "ls", "--quiet", "--no-trunc"),
        "volumes": ("volume", "ls", "--quiet"),
    }
    found = {what: set(site.engine.docker(*argv).split()) for what, argv in lists.items()}
    mounts = {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()}
    links = {path.name for path in Path("/sys/class/net").iterdir()}
    folders = {str(path) for path in ROOT.glob(".clusters/*")}
    return {**found, "mounts": mounts, "links": links, "folders": folders}


def _registered(grid: Grid) -> dict[str, dict[str, Any]]:
    url = f"{grid.registry_url}/clusters"
    answer = requests.get(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10)
    return {cluster["name"]: cluster for cluster in answer.json()}


def test_clusters_come_registered_and_go_without_a_trace(grid: Grid, site: DockerSite) -> None:
    """Up: two clusters, registered with their host keys. Down: no container, network, mount or file."""
    before = _left(site)
    options = (site.suite, "1", _NAME)
    try:
        printed = _commanded(grid, "up", *options)
        started = DockerSite(site.engine, ROOT / ".clusters" / _NAME, site.suite, _NAME, 1)
        assert printed.count("1 nodes") == 2
        assert {login.name: login.host_keys for login in started.known()} == {
            name: tuple(cluster["host_keys"]) for name, cluster in _registered(grid).items()
        }
        assert [cluster["preferred_jobs"] for _, cluster in sorted(_registered(grid).items())] == [
            ["mpi"],
            ["serial", "smp"],
        ]
        assert started.run(["sinfo", "-h", "-o", "%D %P"], cluster="nic5").stdout.split() == ["1", "batch*"]
        assert len(_left(site)["containers"] - before["containers"]) == 8
    finally:
        _commanded(grid, "down", *options)
    after = _left(site)
    assert {what: after[what] - before[what] for what in after} == {what: set() for what in after}
    assert not any(cluster["enabled"] for cluster in _registered(grid).values())
