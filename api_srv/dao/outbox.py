"""The mails that are due: events with a mark on them, claimed for a while by whoever sends them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from api_srv.dao.documents import update
from api_srv.dao.ports import Condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_srv.dao.ports import Document, Documents

DUE = "due"
SENT = "sent"
UNDELIVERABLE = "undeliverable"
NO_MAIL = ""


class Outbox:
    """Due mails, each claimed by one relay at a time.

    A claim pushes `mail_due_at` into the future by compare-and-set, and is renewed while the mail is on its way. If
    the relay dies, the mail is due then.

    Attributes:
        woken: set when a mail became due in this process.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.woken = threading.Event()

    def due(self, now: str, limit: int) -> list[Document]:
        """Return events whose mail is due and not claimed, the longest due first."""
        conditions = Condition("mail_state", "=", DUE), Condition("mail_due_at", "<=", now)
        return self._documents.find("events", *conditions, order="mail_due_at", limit=limit)

    def count_due(self) -> int:
        """Return how many mails are waiting, claimed ones included."""
        return self._documents.count("events", Condition("mail_state", "=", DUE))

    def sent_since(self, owner: str, since: str) -> int:
        """Return how many mails an account was sent after `since`."""
        return self._documents.count("events", Condition("owner", "=", owner), Condition("mail_sent_at", ">", since))

    def claim(self, event: Document, until: str, claimant: str) -> Document | None:
        """Claim a mail until a time; None if another relay was faster."""
        claimed = {**event, "mail_due_at": until, "mail_claim": claimant}
        stored = self._documents.replace("events", claimed)
        return {**claimed, "rv": event["rv"] + 1} if stored else None

    def renew(self, claimed: Document, until: str) -> None:
        """Keep a claim until a later time."""
        self._change_claimed(claimed, mail_due_at=until)

    def postpone(self, claimed: Document, until: str, *, attempts: int) -> None:
        """Give a claimed mail back, due again at `until`."""
        self._change_claimed(claimed, mail_due_at=until, mail_attempts=attempts, mail_claim="")

    def give_back(self, claimant: str, now: str) -> None:
        """Make due again what a claimant has claimed and neither sent nor given back."""
        for event in self._documents.find("events", Condition("mail_state", "=", DUE)):
            if event.get("mail_claim") == claimant:
                self.postpone(event, now, attempts=event["mail_attempts"])

    def settle(self, claimed: Document, state: str, at: str, remark: str = "") -> None:
        """Note that a mail was sent, or never will be, and why; that holds whoever has claimed it meanwhile."""
        sent_at = at if state == SENT else ""
        self._change(claimed, lambda _: True, mail_state=state, mail_sent_at=sent_at, mail_remark=remark)

    def _change_claimed(self, claimed: Document, **values: Any) -> None:
        """Change a mail unless the claim has run out and become another's."""
        self._change(claimed, lambda event: event.get("mail_claim") == claimed["mail_claim"], **values)

    def _change(self, claimed: Document, applies: Callable[[Document], bool], **values: Any) -> None:
        def changed(event: Document) -> bool:
            due: bool = event["mail_state"] == DUE and applies(event)
            event.update(values if due else {})
            return due

        update(self._documents, "events", claimed["_id"], changed)
