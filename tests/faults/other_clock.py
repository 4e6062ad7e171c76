"""A sandbox that lives at another time of day: all its daemons, logins and jobs, by libfaketime."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.site import SandboxSite
from project.sandbox.layout import Layout
from tests.chaos.slurm_programs import MOODS
from tests.faults.daemons import Daemons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.chaos.world import World

#: As Debian's package `faketime` has it; MT is for programs with threads.
_LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def variables(ahead_s: int) -> dict[str, str]:
    """Return what makes programs see a clock that is so far ahead; time still passes as it does."""
    found = sorted(Path("/").glob(_LIBRARIES.lstrip("/")))
    if not found:
        pytest.skip("libfaketime is not installed (apt-get install faketime)")
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": f"{ahead_s:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def set_clock(world: World, ahead_s: int, *, login_node_too: bool) -> None:
    """Restart Slurm and munged with another clock; that of the login node is set, too, or goes on being right."""
    faked = variables(ahead_s)
    assert isinstance(world.grid.site, SandboxSite)
    world.grid.site.variables = faked
    if login_node_too:
        _set_clock_of_logins(world, faked)
    daemons = Daemons(world.grid.sandbox.folder, faked)
    names = [name for name in daemons.names if login_node_too or name != "sshd"]
    for name in reversed(names):
        daemons.end(name)
    for name in names:
        daemons.start(name)


def _set_clock_of_logins(world: World, faked: Mapping[str, str]) -> None:
    """The shell, Slurm's programs and the Python that a login finds; Gridferry hands on no variables to programs."""
    words = " ".join(f"{name}={value}" for name, value in faked.items())
    configuration = Layout.at(world.grid.sandbox.folder).etc / "sshd_config"
    configuration.write_text(configuration.read_text().replace("SetEnv ", f"SetEnv {words} ", 1))
    for name in MOODS:
        script = world.programs.folder / name
        script.write_text(script.read_text().replace("\n", f"\nexport {words}\n", 1))
    python = world.programs.folder / "python"
    python.write_text(f'#!/bin/sh\nexport {words}\nexec {shutil.which("python3")} "$@"\n')
    python.chmod(0o755)
    world.grid.register(world.grid.info, port=world.gate.port, python=str(python))
