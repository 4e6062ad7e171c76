"""A whole grid for the session: real Slurm, SSH, SMTP and registry; the client runs as a subprocess.

GRIDFERRY_TEST_GRID says which: a sandbox in a folder (the default), or the name of a Debian generation: then the two
clusters of slurm-docker/ with that generation's Slurm. Where these cannot be had every test is skipped with the
reason, unless GRIDFERRY_TEST_GRID_MUST_BE is set: then every test fails.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.docker.engine import EngineUnavailable, find_engine
from demo.docker.site import DockerSite
from demo.grid import Grid
from project.core.errors import SandboxError
from project.sandbox.preflight import check_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

_KIND = os.environ.get("GRIDFERRY_TEST_GRID", "sandbox")
_MUST_BE = "GRIDFERRY_TEST_GRID_MUST_BE" in os.environ


@pytest.fixture(scope="session")
def grid() -> Iterator[Grid]:
    """One grid for all tests; its folder is short, since sockets lie in it."""
    folder = Path(tempfile.mkdtemp(prefix="gf-", dir="/tmp"))
    try:
        yield from _sandbox_grid(folder) if _KIND == "sandbox" else _docker_grid(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sandbox_grid(folder: Path) -> Iterator[Grid]:
    try:
        check_machine()
    except SandboxError as error:
        pytest.skip(f"no real Slurm here: {error.message}")
    yield from _running(Grid(folder))


def _docker_grid(folder: Path) -> Iterator[Grid]:
    try:
        engine = find_engine()
    except EngineUnavailable as error:
        if _MUST_BE:
            raise
        pytest.skip(f"no containers here: {error.message}")
    try:
        yield from _running(Grid(folder, DockerSite(engine, folder / "ssh", _KIND, f"{folder.name}-{_KIND}".lower())))
    finally:
        engine.stop()


def _running(grid: Grid) -> Iterator[Grid]:
    grid.start()
    try:
        yield grid
    finally:
        grid.stop()


@pytest.fixture(autouse=True)
def _has_what_it_needs(request: pytest.FixtureRequest) -> None:
    """Skip a test, with the reason, where the grid has not got what its marker says it needs."""
    for marker in request.node.iter_markers("needs"):
        reason = request.getfixturevalue("grid").site.lacks.get(marker.args[0])
        if reason:
            pytest.skip(reason)
