"""A registry that is killed -9 fifty times in the middle of its writes, and a mail server that takes its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.mail_server import MailServer
from tests.contract.processes import poll
from tests.contract.registry_killing import kill_amid_reports
from tests.contract.registry_process import RegistryProcess, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KILLS = 50
_SLOW_S = 70.0


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that is up."""
    with MailServer().started() as server:
        yield server


def test_fifty_kills_lose_nothing(store_url: str, tmp_path: Path, mail_server: MailServer) -> None:
    """Every entry once, in order; every mail, and twice only what was on its way at a kill."""
    registry = RegistryProcess(tmp_path / "registry", GRIDFERRY_STORE_URL=store_url)
    registry.furnish()
    kill_amid_reports(registry, mail_server, _KILLS)


def test_a_mail_server_that_takes_a_minute_gets_each_mail_once(tmp_path: Path, mail_server: MailServer) -> None:
    """It looks for viruses for longer than any answer usually takes; who gave up would send it again and again."""
    mail_server.hold_s = _SLOW_S
    registry = RegistryProcess(tmp_path / "registry")
    registry.furnish()
    with registry.started(**mail_server.settings()):
        job_uuid = registry.create_job()
        registry.report(state(job_uuid, 1, "RUNNING"))
        poll(lambda: registry.call("GET", "/health").json()["mail"]["due"] == 0, "it was sent", 2 * _SLOW_S)
    assert mail_server.sent_ids() == {f"<{job_uuid}.000000001@localhost>": 1}
