"""A sandbox that lives at another time of day: its daemons by libfaketime, logins and jobs by a clock of our own.

libfaketime, which knows all ways to wait until a moment, is right for daemons. But programs that it is in share a
semaphore that ends with the first of them, which the others now and then do not survive; a wait that is over before
it has begun is an error to it; and a file that is touched gets a time that is not the disk's. A job that ends of that
says nothing about ours.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.site import SandboxSite
from project.sandbox.layout import Layout
from tests.chaos.slurm_programs import MOODS
from tests.faults.daemons import Daemons

if TYPE_CHECKING:
    from tests.chaos.world import World

#: As Debian's package `faketime` has it; MT is for programs with threads.
_LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"
_CLOCK = Path(__file__).resolve().parents[1] / "fakes" / "other_clock.c"


def set_clock(world: World, ahead_s: int, *, login_node_too: bool) -> None:
    """Restart Slurm and munged with another clock; that of the login node is set, too, or goes on being right."""
    found = sorted(Path("/").glob(_LIBRARIES.lstrip("/")))
    if not found:
        pytest.skip("libfaketime is not installed (apt-get install faketime)")
    daemons = Daemons(
        world.grid.sandbox.folder,
        {"LD_PRELOAD": str(found[0]), "FAKETIME": f"{ahead_s:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"},
    )
    own = _built(world.grid.folder / "other_clock.so")
    variables = {"LD_PRELOAD": str(own), "AHEAD_S": str(ahead_s)}
    assert isinstance(world.grid.site, SandboxSite)
    world.grid.site.variables = variables
    if login_node_too:
        _set_clock_of_logins(world, " ".join(f"{name}={value}" for name, value in variables.items()))
    names = [name for name in daemons.names if login_node_too or name != "sshd"]
    for name in reversed(names):
        daemons.end(name)
    for name in names:
        daemons.start(name)


def _built(library: Path) -> Path:
    """Compile the clock of our own."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler (apt-get install gcc)")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(_CLOCK)], check=True, timeout=60)
    return library


def _set_clock_of_logins(world: World, words: str) -> None:
    """The shell, Slurm's programs and the Python that a login finds; Gridferry hands on no variables to programs."""
    configuration = Layout.at(world.grid.sandbox.folder).etc / "sshd_config"
    configuration.write_text(configuration.read_text().replace("SetEnv ", f"SetEnv {words} ", 1))
    for name in MOODS:
        script = world.programs.folder / name
        script.write_text(script.read_text().replace("\n", f"\nexport {words}\n", 1))
    python = world.programs.folder / "python"
    python.write_text(f'#!/bin/sh\nexport {words}\nexec {shutil.which("python3")} "$@"\n')
    python.chmod(0o755)
    world.grid.register(world.grid.info, port=world.gate.port, python=str(python))
