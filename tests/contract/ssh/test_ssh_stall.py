"""A line that stands still for a while: nothing that was on its way is given up."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from project.adapters.ssh.session import WINDOW_BYTES
from tests.contract.ssh.gate import Gate
from tests.contract.ssh.transfers import manifest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.ssh.conftest import Caller
    from tests.contract.ssh.servers import SshServer

#: Longer than output is awaited of a program that has ended.
_STANDSTILL_S = 6.0
#: By then the far side has sent all that may be on its way, and its program has ended.
_FULL_AFTER_S = 2.0
#: What then waits there: less than fits between a program and sshd.
_LEFT_THERE_BYTES = 40 * 1024

Standstill = Callable[[], None]


@pytest.fixture
def gate(cuttable: SshServer) -> Iterator[Gate]:
    """A gate before the server."""
    with Gate(cuttable.port).open() as gate:
        yield gate


@pytest.fixture
def standstill(gate: Gate) -> Standstill:
    """Let the line stand still once the window is full, as it may at any time."""

    def stand_still() -> None:
        time.sleep(_FULL_AFTER_S)
        gate.hold(holds=True)
        threading.Timer(_STANDSTILL_S, lambda: gate.hold(holds=False)).start()

    return stand_still


def test_the_end_of_a_download_is_waited_for(
    gate: Gate, standstill: Standstill, cuttable: SshServer, caller: Caller, far: Path, tmp_path: Path
) -> None:
    """The program there has ended, and what it printed last is still to come."""
    content = os.urandom(WINDOW_BYTES + _LEFT_THERE_BYTES)
    (far / "file").write_bytes(content)
    waits = [standstill]

    def progress(_done: int, _total: int) -> None:
        if waits:
            waits.pop()()

    there = caller.connect(replace(cuttable, port=gate.port))
    there.get(manifest(far / "file", content), tmp_path / "back", progress=progress)
    assert (tmp_path / "back").read_bytes() == content


def test_the_last_lines_of_a_script_are_waited_for(
    gate: Gate, standstill: Standstill, cuttable: SshServer, caller: Caller
) -> None:
    """As above: an event that is lost would be a job that nobody knows of."""
    shell = caller.connect(replace(cuttable, port=gate.port)).shell()
    with contextlib.closing(shell):
        lines = shell.become(f"echo begin; head -c {WINDOW_BYTES + _LEFT_THERE_BYTES} /dev/zero; echo; echo end")
        assert next(lines) == "begin"
        standstill()
        assert list(lines)[-1] == "end"
        assert shell.exit_status == 0
