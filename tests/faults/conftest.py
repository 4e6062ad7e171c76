"""A real Slurm whose daemons tests may stop, kill and start again."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.layout import ClusterPaths
from project.wrapper.clock import Clock
from project.wrapper.slurm import Slurm
from tests.chaos.world import World, running_world
from tests.contract.conftest import store_url, wire_server
from tests.contract.registry_process import RegistryProcess
from tests.contract.slurm.cluster import Cluster
from tests.contract.slurm.real import one_node, skip_without_slurm
from tests.faults.daemons import Daemons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project.sandbox import api

__all__ = ["store_url", "wire_server"]  # fixtures of tests/contract that this suite uses, too


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[api.SandboxInfo]:
    """A real Slurm for this suite."""
    yield from one_node(tmp_path_factory.mktemp("sb"), "faults")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryProcess]:
    """A registry with accounts `ann` and `root` (administrator)."""
    process = RegistryProcess(tmp_path_factory.mktemp("registry"))
    process.furnish()
    process.add_user("root", admin=True)
    with process.started():
        yield process


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """A whole grid, with a gate before its login node."""
    skip_without_slurm()
    folder = Path(tempfile.mkdtemp(prefix="gff-", dir="/tmp"))  # short, since sockets lie in it
    try:
        with running_world(folder) as world:
            yield world
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def daemons(sandbox: api.SandboxInfo) -> Iterator[Daemons]:
    """Its daemons; what a test stopped or ended works again afterwards."""
    daemons = Daemons(sandbox.folder)
    yield daemons
    daemons.restore()


@pytest.fixture
def cluster(sandbox: api.SandboxInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster with this Slurm."""
    monkeypatch.setenv("SLURM_CONF", str(sandbox.slurm_conf))
    return Cluster(ClusterPaths(str(tmp_path / "gridferry")), Slurm(), Clock(), None)
