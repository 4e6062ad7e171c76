"""Killed at any moment, the registry loses nothing that was reported and doubles nothing."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests

from api_srv.config import Settings
from api_srv.services.accounts import Caller
from api_srv.services.bundle import build
from tests.contract.mail_server import MailServer
from tests.contract.processes import poll
from tests.contract.registry_process import RegistryProcess, entry, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from api_srv.dao.ports import Documents

_WORDS = ["UPLOADED", "SUBMITTED", "PENDING", "RUNNING", "COMPLETED", "DONE"]
_ANN = Caller("ann", admin=False, mail="ann@example.org")


class Killed(Exception):
    """The process is gone."""


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


def _journal(job_uuid: str) -> list[dict[str, Any]]:
    """A journal with every kind of entry."""
    rows = [{"task": str(number), "State": "RUNNING"} for number in (1, 2)]
    return [
        entry(job_uuid, 1, "fields", fields={"job_directory": "/d"}),
        *(state(job_uuid, number, word) for number, word in enumerate(_WORDS[:3], 2)),
        entry(job_uuid, 5, "tasks", slurm_job_id="47", rows=rows),
        entry(job_uuid, 6, "module", stage="preprocessing", step=1, module="m", result=1),
        entry(job_uuid, 7, "notice", severity="error", stage="s", message="m", detail=""),
        *(state(job_uuid, number, word) for number, word in enumerate(_WORDS[3:], 8)),
        entry(job_uuid, 11, "tasks", rows=[{"task": "2", "State": "COMPLETED"}]),
    ]


@pytest.mark.parametrize("after", [False, True])
def test_a_death_at_any_write_of_a_report_is_made_good(documents: Documents, after: bool) -> None:
    """For every write of a report: die there, send the report again, and all is there exactly once."""
    settings = Settings()
    build(settings, documents).clusters.put("demo", {"hostname": "h"})
    for dies_at in range(1, 30):
        job_uuid = str(uuid.uuid4())
        job = {"user_input": {}, "destination_cluster": "demo"}
        build(settings, documents).jobs.create(_ANN, job_uuid, job)
        batch = {"cluster": "demo", "epoch": dies_at, "reports": _journal(job_uuid)}
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
    assert states == ["CREATED", *_WORDS]
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
    """With kill -9 amid the reports of ten jobs, four times: every entry once, every mail, none under two names."""
    settings = {**mail_server.settings(), "GRIDFERRY_API_MAIL_LEASE_S": "1"}
    with own_registry.started(**settings):
        jobs = [own_registry.create_job() for _ in range(10)]
    kills = 4
    for _ in range(kills):
        with own_registry.started(**settings):
            senders = _send_in_background(own_registry, jobs)
            time.sleep(random.uniform(0.02, 0.12))  # noqa: S311 - any moment will do
            own_registry.kill()
            for sender in senders:
                sender.join()
    with own_registry.started(**settings):
        own_registry.report(*(one for job_uuid in jobs for one in _journal(job_uuid)))
        for job_uuid in jobs:
            assert own_registry.job(job_uuid)["last_seq"] == 11
            keys = [event["key"] for event in own_registry.job(job_uuid)["timeline"]]
            assert keys == ["created", *(f"{seq:09d}" for seq in (2, 3, 4, 7, 8, 9, 10))]
        poll(lambda: own_registry.call("GET", "/health").json()["mail"]["due"] == 0, "all mail was sent")
    expected = {f"<{job_uuid}.{seq:09d}@localhost>" for job_uuid in jobs for seq in (4, 7, 8, 9)}
    sent = mail_server.sent_ids()
    assert set(sent) == expected
    assert sum(sent.values()) - len(expected) <= kills  # at most the one that was on its way at each kill
    assert "Traceback" not in own_registry.output()


def _send_in_background(registry: RegistryProcess, jobs: Sequence[str]) -> list[threading.Thread]:
    """Send each journal, a growing part at a time, until the registry is gone; from two sides at once."""

    def send(order: Sequence[str]) -> None:
        try:
            for upto in range(1, 12):
                for job_uuid in order:
                    registry.report(*_journal(job_uuid)[:upto])
        except requests.RequestException:
            return

    senders = [threading.Thread(target=send, args=(order,)) for order in (jobs, jobs[::-1])]
    for sender in senders:
        sender.start()
    return senders


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
