"""A connection that is cut anywhere on the way in: always told as what it is, so that trying again is the remedy."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from project.core.errors import Unreachable
from tests.contract.ssh.gate import Gate

if TYPE_CHECKING:
    from tests.contract.ssh.conftest import Caller
    from tests.contract.ssh.servers import SshServer

#: Through the banners, the exchange of keys and the login, which take some 2,500 bytes from our side, and beyond.
_POSITIONS = (*range(0, 2400, 160), *range(2400, 2900, 50))


@pytest.mark.parametrize("sent_bytes", _POSITIONS)
def test_a_connection_cut_on_the_way_in_is_told_as_such(server: SshServer, caller: Caller, sent_bytes: int) -> None:
    """Never as a refused key or host key, from which nothing is tried again; after the way in all works."""
    with Gate(server.port).open() as gate:
        through_it = replace(server, port=gate.port)
        gate.cut_next_after(sent_bytes)
        with contextlib.suppress(Unreachable):
            assert caller.connect(through_it).shell().ask("echo here") == "here\n"
        assert caller.connect(through_it).shell().ask("echo here") == "here\n"


def test_a_connection_cut_while_in_use_can_be_made_again(server: SshServer, caller: Caller) -> None:
    """The one in use ends with an error that says so; the next one is as good as the first."""
    with Gate(server.port).open() as gate:
        through_it = replace(server, port=gate.port)
        lines = caller.connect(through_it).shell().become("echo started; sleep 60")
        assert next(lines) == "started"
        gate.cut()
        with pytest.raises(Unreachable, match="was cut off"):
            next(lines)
        assert caller.connect(through_it).shell().ask("echo here") == "here\n"
