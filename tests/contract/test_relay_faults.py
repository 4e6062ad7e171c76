"""Mail when the mail server is slow or forgetful, or the database goes away at the worst moment."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from api_srv import clock
from api_srv.config import Settings
from api_srv.dao.ports import Condition
from api_srv.errors import StoreUnavailable
from api_srv.mailer.ports import TryLater
from api_srv.mailer.relay import Relay
from api_srv.services.accounts import Caller
from api_srv.services.bundle import Services, build
from tests.contract.mail_server import MailServer
from tests.contract.processes import poll
from tests.contract.registry_process import state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from api_srv.dao.ports import Document, Documents
    from tests.contract.registry_process import RegistryProcess

_ANN = Caller("ann", admin=False, mail="ann@example.org")


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that is up."""
    with MailServer().started() as server:
        yield server


def test_a_slow_mail_server_gets_each_mail_once(own_registry: RegistryProcess, mail_server: MailServer) -> None:
    """It says yes long after a claim would have run out: no other relay takes the mail for an orphan."""
    mail_server.hold_s = 5.0
    slow = {"GRIDFERRY_API_MAIL_LEASE_S": "3", "GRIDFERRY_API_WORKERS": "3"}
    with own_registry.started(**mail_server.settings(), **slow) as registry:
        job_uuid = registry.create_job()
        registry.report(state(job_uuid, 1, "RUNNING"))
        poll(lambda: registry.call("GET", "/health").json()["mail"]["due"] == 0, "it was sent")
    assert mail_server.sent_ids() == {f"<{job_uuid}.000000001@localhost>": 1}


def test_a_mail_whose_taking_was_not_confirmed_is_sent_again(
    own_registry: RegistryProcess, mail_server: MailServer
) -> None:
    """The mail server took it and cut the connection: nobody can know, so it comes twice, as the same mail."""
    mail_server.forgets = 1
    with own_registry.started(**mail_server.settings()) as registry:
        job_uuid = registry.create_job()
        registry.report(state(job_uuid, 1, "RUNNING"))
        poll(lambda: registry.call("GET", "/health").json()["mail"]["due"] == 0, "it was sent")
    assert mail_server.sent_ids() == {f"<{job_uuid}.000000001@localhost>": 2}
    first, second = (message.as_bytes() for _, message in mail_server.messages)
    assert first == second


class Counting:
    """A carrier that counts, and does something after each mail."""

    kind = place = "counting"

    def __init__(self, afterwards: Callable[[], None]) -> None:
        self.sent: Counter[str] = Counter()
        self._afterwards = afterwards

    def send(self, message: EmailMessage) -> None:
        """Count it."""
        self.sent[str(message["Message-ID"])] += 1
        self._afterwards()


class Unsteady:
    """A database that can be away."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.away = False
        self.unanswered = ""

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise StoreUnavailable("it is being restarted")
        return self._done_and_unanswered if name == self.unanswered else getattr(self._documents, name)

    def _done_and_unanswered(self, *arguments: Any, **named: Any) -> None:
        getattr(self._documents, self.unanswered)(*arguments, **named)
        self.unanswered = ""
        raise StoreUnavailable("it was restarted before it answered")


def _with_two_mails(store: Any, settings: Settings) -> Services:
    services = build(settings, store)
    services.clusters.put("demo", {"hostname": "h"})
    services.user_store.add({"_id": "ann", "mail": "ann@example.org", "role": "user"})
    job_uuid = str(uuid.uuid4())
    services.jobs.create(_ANN, job_uuid, {"user_input": {}, "destination_cluster": "demo"})
    batch = {"cluster": "demo", "reports": [state(job_uuid, number, "RUNNING") for number in (1, 2)]}
    services.reports.accept(_ANN, batch)
    return services


def _relay(services: Services, carrier: Counting) -> Relay:
    return Relay(services.outbox, services.job_store, services.user_store, carrier, services.settings)


@pytest.mark.parametrize(("age_days", "marks"), [(4, {"due"}), (6, {"undeliverable"})])
def test_what_a_mail_server_never_takes_is_given_up_after_days(
    documents: Documents, age_days: int, marks: set[str]
) -> None:
    """It says "later", again and again: four days on it is still tried, after five it is noted with the reason."""
    services = _with_two_mails(documents, Settings())
    for event in documents.find("events", Condition("mail_state", "=", "due")):
        recorded_at = clock.later(event["recorded_at"], -age_days * clock.DAY_S)
        assert documents.replace("events", {**event, "recorded_at": recorded_at})

    def not_now() -> None:
        raise TryLater("450 come back later")

    carrier = Counting(not_now)
    _relay(services, carrier).send_due()
    assert list(carrier.sent.values()) == [1, 1]
    mails = [event for event in documents.find("events") if event["mail_state"]]
    assert {mail["mail_state"] for mail in mails} == marks
    assert {mail.get("mail_remark", "") for mail in mails} == {"" if marks == {"due"} else "450 come back later"}


@pytest.mark.parametrize("operation", ["find", "replace", "get"])
def test_a_database_that_goes_away_before_the_sending_delays_nothing(documents: Documents, operation: str) -> None:
    """What was claimed, even unknown to us, goes out as soon as the database is back, not when the claim runs out."""
    store = Unsteady(documents)
    services = _with_two_mails(store, Settings())
    carrier = Counting(lambda: None)
    relay = _relay(services, carrier)
    store.unanswered = operation
    with pytest.raises(StoreUnavailable):
        relay.send_due()
    relay.send_due()
    assert list(carrier.sent.values()) == [1, 1]
    assert services.outbox.count_due() == 0


def test_a_database_that_goes_away_after_the_sending_doubles_nothing(documents: Documents) -> None:
    """What was sent and could not be noted is noted before anything else, long after the claim has run out."""
    store = Unsteady(documents)
    services = _with_two_mails(store, Settings(mail_lease_s=0.0))

    def go_away() -> None:
        store.away = True

    carrier = Counting(go_away)
    relay = _relay(services, carrier)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            relay.send_due()
    for _ in range(2):
        store.away = False
        try:
            relay.send_due()
        except StoreUnavailable:
            continue
    store.away = False
    relay.send_due()
    assert set(carrier.sent.values()) == {1}
    assert len(carrier.sent) == 2
    assert services.outbox.count_due() == 0


def test_a_claim_that_ran_out_takes_nothing_back(documents: Documents) -> None:
    """A relay that slept too long neither postpones what another is sending nor unsettles what it sent."""
    outbox = build(Settings(), documents).outbox
    mail: Document = {
        "mail_state": "due",
        "mail_due_at": "2026",
        "mail_attempts": 0,
        "mail_sent_at": "",
        "owner": "a",
    }
    documents.insert("events", {"_id": "j:1", **mail})
    (event,) = outbox.due("2027", 1)
    slow = outbox.claim(event, "2027", "slow")
    (event,) = outbox.due("2028", 1)
    quick = outbox.claim(event, "2029", "quick")
    assert slow is not None
    assert quick is not None
    outbox.postpone(slow, "2026", attempts=1)
    outbox.renew(slow, "2026")
    assert outbox.due("2028", 1) == []
    outbox.renew(quick, "2030")
    assert outbox.due("2029", 1) == []
    outbox.settle(quick, "sent", "2029")
    outbox.postpone(quick, "2026", attempts=1)
    outbox.settle(slow, "undeliverable", "2031")
    stored = documents.get("events", "j:1")
    assert stored is not None
    assert (stored["mail_state"], stored["mail_sent_at"]) == ("sent", "2029")
