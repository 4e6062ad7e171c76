"""The two Slurms."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from project.core.layout import ClusterPaths
from project.wrapper.clock import Clock
from project.wrapper.slurm import Slurm
from tests.contract.slurm.cluster import Cluster
from tests.contract.slurm.real import one_node
from tests.fakes.clock import QuickClock
from tests.fakes.slurm import FakeSlurm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from project.sandbox import api


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[api.SandboxInfo]:
    """A real Slurm, started for this suite."""
    yield from one_node(tmp_path_factory.mktemp("sb"), "contract")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    """The fake Slurm's programs, first on PATH."""
    fake = FakeSlurm(tmp_path / "fake")
    monkeypatch.setenv("PATH", f"{fake.programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_CONF", str(fake.configuration))
    return fake


@pytest.fixture
def fake_cluster(fake: FakeSlurm, tmp_path: Path) -> Cluster:
    """A cluster whose Slurm does what the test tells it to, and whose time passes at once."""
    return Cluster(ClusterPaths(str(tmp_path / "gridferry")), Slurm(), QuickClock(), fake)


@pytest.fixture
def real_cluster(sandbox: api.SandboxInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster with a real Slurm."""
    monkeypatch.setenv("SLURM_CONF", str(sandbox.slurm_conf))
    return Cluster(ClusterPaths(str(tmp_path / "gridferry")), Slurm(), Clock(), None)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.slurm)])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Each of the two."""
    found: Cluster = request.getfixturevalue(f"{request.param}_cluster")
    return found
