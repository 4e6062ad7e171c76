"""Mail: one for each change that is told, to the right person, whatever the mail server does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.mail_server import MailServer
from tests.contract.processes import poll
from tests.contract.registry_process import entry, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from tests.contract.registry_process import RegistryProcess

_FULL_WAY = [
    "UPLOADED",
    "PREPROCESSING",
    "COMPILING",
    "SUBMITTED",
    "PENDING",
    "RUNNING",
    "FAILED",
    "POSTPROCESSING",
    "DONE",
]


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that is up."""
    with MailServer().started() as server:
        yield server


def _mails_of(registry: RegistryProcess, job_uuid: str, number: int) -> list[EmailMessage]:
    """Return a job's mails from the folder, in the order of their entries, once they are there."""
    registry.wait_for_mails(number)
    mails = [mail for mail in registry.mails() if job_uuid in mail["Message-ID"]]
    assert len(mails) == number
    return mails


def _text(mail: EmailMessage) -> str:
    content: str = mail.get_content()
    return content


def test_only_changes_worth_telling_are_mailed(registry: RegistryProcess) -> None:
    """Slurm's states, ERROR and error notices are told, each once; our own steps and warnings are not."""
    job_uuid = registry.create_job(job_name="first try")
    way = _FULL_WAY[:-1]
    registry.report(*(state(job_uuid, number, word) for number, word in enumerate(way, 1)))
    registry.report(
        entry(job_uuid, len(way) + 1, "notice", severity="warning", stage="s", message="a twin", detail=""),
        entry(
            job_uuid, len(way) + 2, "notice", severity="error", stage="postprocessing", message="no disk", detail=""
        ),
        state(job_uuid, len(way) + 3, "ERROR", stage="postprocessing", reason="it broke"),
    )
    mails = _mails_of(registry, job_uuid, 5)
    said = ["PENDING", "RUNNING", "FAILED", "problem", "ERROR"]
    assert [mail["Subject"] for mail in mails] == [f"{word}: first try (demo)" for word in said]
    assert {mail["To"] for mail in mails} == {"ann@example.org"}
    assert "no disk" in _text(mails[3])
    assert "postprocessing" in _text(mails[4])


def test_a_mail_says_everything(registry: RegistryProcess) -> None:
    """What, where, state, since when, exit code, counts, the tail of stderr, and how to fetch."""
    job_uuid = registry.create_job()
    detail = "".join(f"line {number}\n" for number in range(100)) + "żółć\x1b[31m failed\n"
    since = "2026-11-20T08:09:10.000000Z"
    counts = {"COMPLETED": 14, "FAILED": 1}
    registry.report(state(job_uuid, 1, "FAILED", since=since, exit_code="1:0", detail=detail, counts=counts))
    (mail,) = _mails_of(registry, job_uuid, 1)
    text = _text(mail)
    expected = (f"Your job {job_uuid} on demo is FAILED.", "2026-11-20 08:09:10 UTC", "1:0", "14 COMPLETED, 1 FAILED")
    for words in (*expected, "line 99", "żółć", f"python -m project -r {job_uuid}"):
        assert words in text
    assert "line 1\n" not in text
    assert "\x1b" not in text
    assert mail.get_content_type() == "text/plain"
    assert mail["Date"]
    assert mail["Message-ID"] == f"<{job_uuid}.000000001@localhost>"


def test_headers_cannot_be_forged(registry: RegistryProcess) -> None:
    """Line breaks in a job's name or state become spaces."""
    job_uuid = registry.create_job(job_name="x\r\nBcc: victim@elsewhere.example\n\nhello")
    registry.report(state(job_uuid, 1, "ODD\nBcc: other@elsewhere.example"))
    (mail,) = _mails_of(registry, job_uuid, 1)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "ODD: x Bcc: victim@elsewhere.example hello (demo)"


def test_the_job_file_chooses_what_is_told(registry: RegistryProcess) -> None:
    """`notify` narrows the mails to what it names, or to none."""
    words = [*_FULL_WAY[:-2], "ERROR"]
    ended, none = registry.create_job(notify=["ended"]), registry.create_job(notify="none")
    for job_uuid in (ended, none):
        registry.report(*(state(job_uuid, number, word) for number, word in enumerate(words, 1)))
    (mail,) = _mails_of(registry, ended, 1)
    assert mail["Subject"].startswith("FAILED")
    assert [event.get("mail") for event in registry.job(none)["timeline"]] == [None] * 9


def test_put_state_and_notify_mail_once_for_each_key(registry: RegistryProcess) -> None:
    """The owner hears of a change or an error once, however often the same key is sent."""
    job_uuid = registry.create_job()
    for _ in range(3):
        registry.call("PUT", f"/jobs/{job_uuid}/state", {"state": "RUNNING", "key": "a b/ż"})
        registry.call("PUT", f"/jobs/{job_uuid}/notify", {"message": "boom", "detail": "tail", "key": "a b/ż"})
    notice, running = _mails_of(registry, job_uuid, 2)
    assert running["Subject"] == f"RUNNING: {job_uuid} (demo)"
    assert "boom" in _text(notice)
    assert "tail" in _text(notice)


def test_smtp_carries_each_mail_once(own_registry: RegistryProcess, mail_server: MailServer) -> None:
    """Over a real mail server every mail arrives once, at the owner's or an allowed address, and is noted."""
    domains = {"GRIDFERRY_API_MAIL_DOMAINS": "uni.example, lab.example"}
    with own_registry.started(**mail_server.settings(), **domains) as registry:
        assert f"mail server 127.0.0.1:{mail_server.port} without STARTTLS" in registry.output()
        one, two = registry.create_job(), registry.create_job(user_mail="ann@Lab.example")
        for job_uuid in (one, two):
            registry.report(state(job_uuid, 1, "PENDING"), state(job_uuid, 2, "RUNNING"))
        poll(lambda: registry.call("GET", "/health").json()["mail"] == {"kind": "smtp", "due": 0}, "all was sent")
        assert set(mail_server.sent_ids().values()) == {1}
        recipients = sorted((to, message["Message-ID"][1:37]) for (to,), message in mail_server.messages)
        assert recipients == sorted([("ann@example.org", one), ("ann@Lab.example", two)] * 2)
        assert [event.get("mail") for event in registry.job(one)["timeline"]] == [None, "sent", "sent"]


def test_one_refused_recipient_does_not_stop_the_others(
    own_registry: RegistryProcess, mail_server: MailServer
) -> None:
    """A permanent refusal marks that mail undeliverable; after a temporary one it is tried again; others pass."""
    mail_server.answers = {
        "ann@gone.example": ["550 no such user"],
        "ann@grey.example": ["450 come back later"] * 100,
    }
    domains = {"GRIDFERRY_API_MAIL_DOMAINS": "gone.example,grey.example"}
    with own_registry.started(**mail_server.settings(), **domains) as registry:
        addresses = ["ann@gone.example", "ann@grey.example", "ann@example.org"]
        gone, grey, good = (registry.create_job(user_mail=address) for address in addresses)
        registry.report(*(state(job_uuid, 1, "RUNNING") for job_uuid in (gone, grey, good)))

        def marks() -> list[str]:
            return [registry.job(job_uuid)["timeline"][1]["mail"] for job_uuid in (gone, grey, good)]

        poll(lambda: marks() == ["undeliverable", "due", "sent"], "each mail met its fate")
        assert mail_server.subjects() == [f"RUNNING: {good} (demo)"]
        mail_server.answers.clear()
        poll(lambda: marks() == ["undeliverable", "sent", "sent"], "it came back later")
        assert sorted(mail_server.subjects()) == sorted(f"RUNNING: {told} (demo)" for told in (grey, good))


def test_mail_waits_for_a_mail_server_that_is_away(own_registry: RegistryProcess) -> None:
    """Nothing is lost while the mail server is down; the jobs go on, and health tells what is due."""
    away = MailServer()
    with own_registry.started(**away.settings()) as registry:
        job_uuid = registry.create_job()
        registry.report(state(job_uuid, 1, "PENDING"))
        poll(lambda: "does not take mail" in registry.output(), "the first try failed")
        registry.report(state(job_uuid, 2, "RUNNING"))
        assert registry.call("GET", "/health").json()["mail"]["due"] == 2
        with away.started():
            registry.report(state(job_uuid, 3, "COMPLETED"))
            told = {f"<{job_uuid}.{seq:09d}@localhost>": 1 for seq in (1, 2, 3)}
            poll(lambda: away.sent_ids() == told, "every mail came, once")


def test_an_account_over_its_limit_waits(own_registry: RegistryProcess, mail_server: MailServer) -> None:
    """Beyond the hourly limit mails of that account stay due; those of others pass."""
    own_registry.add_user("bob")
    with own_registry.started(**mail_server.settings(), GRIDFERRY_API_MAIL_PER_HOUR="2") as registry:
        chatty, quiet = registry.create_job(), registry.create_job(user="bob")
        registry.report(*(state(chatty, number, word) for number, word in enumerate(["PENDING", "RUNNING"] * 2, 1)))
        registry.report(state(quiet, 1, "RUNNING"), user="bob")
        poll(lambda: registry.call("GET", "/health").json()["mail"]["due"] == 2, "three were sent")
        assert sorted(to for (to,), _ in mail_server.messages) == ["ann@example.org"] * 2 + ["bob@example.org"]


def test_a_relay_of_its_own_sends_for_a_server_without(own_registry: RegistryProcess, tmp_path: Path) -> None:
    """`--no-relay` leaves mail to `python -m api_srv relay`, which finds it by looking."""
    with own_registry.started(GRIDFERRY_API_RELAY="no") as registry:
        job_uuid = registry.create_job()
        registry.report(state(job_uuid, 1, "RUNNING"))
        assert registry.call("GET", "/health").json()["mail"]["due"] == 1
        with registry.relay_started(tmp_path / "relay"):
            registry.wait_for_mails(1)
