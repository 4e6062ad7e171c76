"""Killed at any moment, the registry loses nothing that was reported and doubles nothing."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from api_srv.config import Settings
from api_srv.services.accounts import Caller
from api_srv.services.bundle import build
from tests.contract.mail_server import MailServer
from tests.contract.processes import poll
from tests.contract.registry_killing import WORDS, journal, kill_amid_reports
from tests.contract.registry_process import RegistryProcess, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from api_srv.dao.ports import Documents

_ANN = Caller("ann", admin=False, mail="ann@example.org")


class Killed(BaseException):
    """The process is gone, and catches nothing any more."""


class Mortal:
    """A database whose user dies right before or right after its n-th write."""

    def __init__(self, documents: Documents, dies_at: int, *, after: bool) -> None:
        self._documents = documents
        self._left = dies_at
        self._after = after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._documents, name)
        return self._write(method) if name in {"insert", "replace", "keep_newest", "delete"} else method

    def _write(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def written(*arguments: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            result = method(*arguments)
            if self._left == 0:
                raise Killed
            return result

        return written


@pytest.mark.parametrize("after", [False, True])
def test_a_death_at_any_write_of_a_report_is_made_good(documents: Documents, after: bool) -> None:
    """For every write of a report: die there, send the report again, and all is there exactly once."""
    settings = Settings()
    build(settings, documents).clusters.put("demo", {"hostname": "h"})
    for dies_at in range(1, 30):
        job_uuid = str(uuid.uuid4())
        job = {"user_input": {}, "destination_cluster": "demo"}
        build(settings, documents).jobs.create(_ANN, job_uuid, job)
        batch = {"cluster": "demo", "epoch": dies_at, "reports": journal(job_uuid)}
        survived = False
        try:
            build(settings, Mortal(documents, dies_at, after=after)).reports.accept(_ANN, batch)
            survived = True
        except Killed:
            build(settings, documents).reports.accept(_ANN, batch)
        _assert_whole(documents, job_uuid)
        if survived:
            break
    assert survived, "a report has more writes than this test tried"


def _assert_whole(documents: Documents, job_uuid: str) -> None:
    job = build(Settings(), documents).jobs.get(_ANN, job_uuid)
    states = [event["body"]["state"] for event in job["timeline"] if event["kind"] == "state"]
    assert states == ["CREATED", *WORDS]
    assert Counter(event["kind"] for event in job["timeline"]) == {"state": 7, "notice": 1}
    assert [event["key"] for event in job["timeline"] if event.get("mail")] == [
        "000000004",
        "000000007",
        "000000008",
        "000000009",
    ]
    assert len(job["modules"]) == 1
    assert job["job_status"]["State"] == ["RUNNING", "COMPLETED"]
    assert (job["state"], job["outcome"], job["last_seq"]) == ("DONE", "COMPLETED", 11)


@pytest.mark.parametrize("after", [False, True])
def test_a_death_while_putting_a_state_is_made_good(documents: Documents, after: bool) -> None:
    """A state with a key that is put again after a death is there once, with one mail."""
    settings = Settings()
    services = build(settings, documents)
    services.clusters.put("demo", {"hostname": "h"})
    for dies_at in (1, 2):
        job_uuid = str(uuid.uuid4())
        services.jobs.create(_ANN, job_uuid, {"user_input": {}, "destination_cluster": "demo"})
        mortal = build(settings, Mortal(documents, dies_at, after=after))
        with pytest.raises(Killed):
            mortal.jobs.put_state(_ANN, job_uuid, {"state": "RUNNING", "key": "k"})
        job = services.jobs.put_state(_ANN, job_uuid, {"state": "RUNNING", "key": "k"})
        assert [event["body"]["state"] for event in job["timeline"]] == ["CREATED", "RUNNING"]
        assert job["state"] == "RUNNING"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that is up."""
    with MailServer().started() as server:
        yield server


def test_killed_again_and_again_in_the_middle_of_writes(
    own_registry: RegistryProcess, mail_server: MailServer
) -> None:
    """With kill -9 amid reports, four times: every entry once, every mail, none under two names."""
    kill_amid_reports(own_registry, mail_server, kills=4)


def test_killed_between_sending_and_noting(own_registry: RegistryProcess, mail_server: MailServer) -> None:
    """A mail that was sent but not noted is sent again under the same Message-ID, then noted."""
    settings = {**mail_server.settings(), "GRIDFERRY_API_MAIL_LEASE_S": "1"}
    mail_server.hold_s = 0.5
    with own_registry.started(**settings):
        job_uuid = own_registry.create_job()
        own_registry.report(state(job_uuid, 1, "RUNNING"))
        poll(lambda: mail_server.messages, "the mail server has the mail")
        own_registry.kill()
    mail_server.hold_s = 0.0
    with own_registry.started(**settings):
        poll(lambda: own_registry.job(job_uuid)["timeline"][1]["mail"] == "sent", "the mail was noted")
    assert mail_server.sent_ids() == {f"<{job_uuid}.000000001@localhost>": 2}
    first, second = (message.as_bytes() for _, message in mail_server.messages)
    assert first == second
