"""Sends what is due: claim with a lease, send, note; a relay that dies anywhere in between loses nothing."""

from __future__ import annotations

import json
import logging
import secrets
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from api_srv import clock
from api_srv.dao.outbox import SENT, UNDELIVERABLE
from api_srv.errors import StoreUnavailable
from api_srv.mailer.ports import CarrierAway, TryLater, Undeliverable
from api_srv.mailer.render import Notice, render
from api_srv.services import job_document
from api_srv.services.recipients import recipient
from project.core.messages import parse_utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from api_srv.config import Settings
    from api_srv.dao.jobs import JobStore
    from api_srv.dao.outbox import Outbox
    from api_srv.dao.ports import Document
    from api_srv.dao.users import UserStore
    from api_srv.mailer.ports import Carrier

_AT_ONCE = 50
_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 15 * clock.MINUTE_S
_GIVE_UP_AFTER_S = 5 * clock.DAY_S
_RENEWALS_IN_A_LEASE = 3
_log = logging.getLogger("gridferry.mail")


class Relay:
    """One loop of claiming and sending; as many as one likes may run at the same time, anywhere."""

    def __init__(
        self, outbox: Outbox, jobs: JobStore, users: UserStore, carrier: Carrier, settings: Settings
    ) -> None:
        self._outbox = outbox
        self._jobs = jobs
        self._users = users
        self._carrier = carrier
        self._settings = settings
        self._stopped = threading.Event()
        self._name = secrets.token_hex(8)
        self._unnoted: list[tuple[Document, str]] = []
        self._interrupted = False

    @property
    def place(self) -> str:
        """Where the mail goes, in words."""
        return self._carrier.place

    def stop(self) -> None:
        """Let `run` end after the mail it is at."""
        self._stopped.set()
        self._outbox.woken.set()

    def run(self) -> None:
        """Send until stopped; wakes when a mail becomes due in this process, else looks now and then."""
        while not self._stopped.is_set():
            self._outbox.woken.clear()
            try:
                self.send_due()
            except StoreUnavailable as error:
                _log.warning("mail waits: %s", error)
            except Exception:  # noqa: BLE001 - a mistake of ours; without this thread there would be no mail at all
                _log.exception("mail waits")
            self._outbox.woken.wait(self._settings.mail_poll_s)

    def send_due(self) -> None:
        """Send every mail that is due now, or as many as the carrier takes.

        Raises:
            StoreUnavailable: the database is away. What was claimed meanwhile goes out at the next call, not only
                when the claim has run out.
        """
        try:
            self._send_due()
        except StoreUnavailable:
            self._interrupted = True
            raise

    def _send_due(self) -> None:
        self._note_sent()
        if self._interrupted:
            self._outbox.give_back(self._name, clock.now())
            self._interrupted = False
        while due := self._outbox.due(clock.now(), _AT_ONCE):
            for event in due:
                if self._stopped.is_set():
                    return
                claimed = self._outbox.claim(event, self._lease_end(), self._name)
                if claimed is not None and not self._handle(claimed):
                    return

    def _handle(self, claimed: Document) -> bool:
        """Send one claimed mail and note what became of it; return whether to go on with others."""
        now = clock.now()
        if self._over_limit(claimed["owner"], now):
            self._outbox.postpone(claimed, clock.later(now, _LONGEST_PAUSE_S), attempts=claimed["mail_attempts"])
            return True
        try:
            message = self._message(claimed)
            with self._kept(claimed):
                self._carrier.send(message)
        except Undeliverable as error:
            _log.warning("mail %s is undeliverable: %s", claimed["_id"], error)
            self._outbox.settle(claimed, UNDELIVERABLE, now, error.message)
        except (TryLater, CarrierAway) as error:
            _log.warning("mail %s waits: %s", claimed["_id"], error)
            self._back_off(claimed, now, error.message)
            return not isinstance(error, CarrierAway)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - one mail that cannot be written must not stop the others for good
            _log.exception("mail %s could not be made", claimed["_id"])
            self._back_off(claimed, now, "a mistake in the registry; its log says more")
        else:
            self._unnoted.append((claimed, clock.now()))
            self._note_sent()
        return True

    def _note_sent(self) -> None:
        """Note what was sent. What the database does not take now is noted before anything else is sent."""
        while self._unnoted:
            claimed, sent_at = self._unnoted[0]
            self._outbox.settle(claimed, SENT, sent_at)
            del self._unnoted[0]

    @contextmanager
    def _kept(self, claimed: Document) -> Iterator[None]:
        """Renew a claim while its mail is on the way: however slow the mail server, no other relay sends it, too."""
        sent = threading.Event()

        def renew() -> None:
            while not sent.wait(self._settings.mail_lease_s / _RENEWALS_IN_A_LEASE):
                with suppress(StoreUnavailable):
                    self._outbox.renew(claimed, self._lease_end())

        thread = threading.Thread(target=renew, name="mail claim", daemon=True)
        thread.start()
        try:
            yield
        finally:
            sent.set()
            thread.join()

    def _lease_end(self) -> str:
        return clock.later(clock.now(), self._settings.mail_lease_s)

    def _back_off(self, claimed: Document, now: str, reason: str) -> None:
        if parse_utc(now) - parse_utc(claimed["recorded_at"]) > _GIVE_UP_AFTER_S:
            self._outbox.settle(claimed, UNDELIVERABLE, now, reason)
            return
        attempts = claimed["mail_attempts"] + 1
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(attempts - 1, 10))
        self._outbox.postpone(claimed, clock.later(now, pause_s), attempts=attempts)

    def _over_limit(self, owner: str, now: str) -> bool:
        sent = self._outbox.sent_since(owner, clock.later(now, -clock.HOUR_S))
        return sent >= self._settings.mail_per_hour

    def _message(self, event: Document) -> EmailMessage:
        job, user = self._jobs.get(event["job_uuid"]), self._users.get(event["owner"])
        if job is None or user is None:
            raise Undeliverable("its job or its account is gone")
        user_input = job_document.user_input(job)
        settings = self._settings
        wanted = str(user_input.get("user_mail") or "")
        domain = settings.mail_from.rpartition("@")[2]
        page_url = f"{settings.base_url}/ui/jobs/{event['job_uuid']}" if settings.base_url else ""
        return render(
            Notice(
                message_id=f"<{event['job_uuid']}.{event['key']}@{domain}>",
                sender=f"Gridferry <{settings.mail_from}>",
                recipient=recipient(wanted, user["mail"], settings.allowed_domains),
                date=datetime.fromtimestamp(parse_utc(event["recorded_at"]), UTC),
                job_uuid=event["job_uuid"],
                label=str(user_input.get("job_name") or ""),
                cluster=job["cluster"],
                kind=event["kind"],
                at=event["at"],
                body=json.loads(event["body"]),
                page_url=page_url,
            )
        )
