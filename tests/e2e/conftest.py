"""A whole grid for the session: real Slurm, SSH, SMTP and registry; the client runs as a subprocess."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.grid import Grid
from project.core.errors import SandboxError
from project.sandbox.preflight import check_machine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def grid() -> Iterator[Grid]:
    """One grid for all tests; its folder is short, since sockets lie in it."""
    try:
        check_machine()
    except SandboxError as error:
        pytest.skip(f"no real Slurm here: {error.message}")
    folder = Path(tempfile.mkdtemp(prefix="gf-", dir="/tmp"))
    grid = Grid(folder)
    grid.start()
    try:
        yield grid
    finally:
        grid.stop()
        shutil.rmtree(folder, ignore_errors=True)
