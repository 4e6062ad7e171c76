"""A real Slurm for a suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from project.core.errors import SandboxError
from project.sandbox import api
from project.sandbox.preflight import check_machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def skip_without_slurm() -> None:
    """Skip what asks, with the reason, where no sandbox can be started."""
    try:
        check_machine()
    except SandboxError as error:
        pytest.skip(f"no real Slurm here: {error.message}")


def one_node(folder: Path, name: str, slurm_lines: tuple[str, ...] = ()) -> Iterator[api.SandboxInfo]:
    """Yield a sandbox of one node; it ends with the fixture that is made of this."""
    skip_without_slurm()
    try:
        yield api.up(folder, options=api.SandboxOptions(name=name, nodes=1, slurm_lines=slurm_lines))
    finally:
        api.down(folder, remove=True)
