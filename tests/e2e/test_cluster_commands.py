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
_LIMIT_S = 600
_LINKS = Path("/sys/class/net")
#: How much two clusters of one node are. How many links and mounts that makes is the engine's business.
_ALL = {"containers": 8, "networks": 2, "volumes": 10, "folders": 1}


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


def _made(site: DockerSite, folder: Path) -> dict[str, set[str]]:
    """What there is of the clusters started here, and of no others, in the engine's words and the kernel's."""
    ours = f"--filter=label=com.docker.compose.project={_NAME}"
    containers = site.engine.docker("ps", "--all", "--quiet", "--no-trunc", ours).split()
    networks = site.engine.docker("network", "ls", "--quiet", ours).split()
    bridges = {f"br-{network}" for network in networks}
    layers = [site.engine.docker("inspect", "--format={{.GraphDriver.Data.MergedDir}}", each) for each in containers]
    return {
        "containers": set(containers),
        "networks": set(networks),
        "volumes": set(site.engine.docker("volume", "ls", "--quiet", ours).split()),
        "links": {path.name for path in _LINKS.iterdir() if path.name in bridges or _master(path) in bridges},
        "mounts": _mounted(set(layers)),
        "folders": {str(folder)} if folder.exists() else set(),
    }


def _master(link: Path) -> str:
    return (link / "master").resolve().name if (link / "master").exists() else ""


def _mounted(paths: set[str]) -> set[str]:
    return paths & {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()}


def _still_there(site: DockerSite, made: dict[str, set[str]], folder: Path) -> dict[str, set[str]]:
    """What was made and has not gone."""
    links = {name for name in made["links"] if (_LINKS / name).exists()}
    return {**_made(site, folder), "links": links, "mounts": _mounted(made["mounts"])}


def _registered(grid: Grid) -> dict[str, dict[str, Any]]:
    url = f"{grid.registry_url}/clusters"
    answer = requests.get(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10)
    return {cluster["name"]: cluster for cluster in answer.json()}


def test_clusters_come_registered_and_go_without_a_trace(grid: Grid, site: DockerSite) -> None:
    """Up: two clusters, registered with their host keys. Down: no container, network, volume, link, mount or file."""
    options = (site.suite, "1", _NAME)
    folder = ROOT / ".clusters" / _NAME
    made: dict[str, set[str]] = {}
    try:
        printed = _commanded(grid, "up", *options)
        made = _made(site, folder)
        assert {what: len(made[what]) for what in _ALL} == _ALL
        started = DockerSite(site.engine, folder, site.suite, _NAME, 1)
        assert printed.count("1 nodes") == 2
        assert {login.name: login.host_keys for login in started.known()} == {
            name: tuple(cluster["host_keys"]) for name, cluster in _registered(grid).items()
        }
        assert [cluster["preferred_jobs"] for _, cluster in sorted(_registered(grid).items())] == [
            ["mpi"],
            ["serial", "smp"],
        ]
        assert started.run(["sinfo", "-h", "-o", "%D %P"], cluster="nic5").stdout.split() == ["1", "batch*"]
    finally:
        _commanded(grid, "down", *options)
    assert _still_there(site, made, folder) == {what: set() for what in made}
    assert not any(cluster["enabled"] for cluster in _registered(grid).values())
