"""A real SMTP server that keeps what it gets and can be told to refuse."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

from tests.contract.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

ACCEPTED = "250 OK"


class MailServer:
    """Keeps messages; `answers` holds what to say to recipients instead of yes, once for each entry.

    Attributes:
        messages: what was taken, with its envelope's recipients.
        hold_s: how long to wait after a message was taken before saying so.
        forgets: how many messages are taken from now on without saying so: the connection is cut instead.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.messages: list[tuple[list[str], EmailMessage]] = []
        self.answers: dict[str, list[str]] = {}
        self.hold_s = 0.0
        self.forgets = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take a recipient, or say what was planned for it."""
        planned = self.answers.get(address)
        if planned:
            return planned.pop(0)
        envelope.rcpt_tos.append(address)
        return ACCEPTED

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a message; perhaps dawdle before saying so."""
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.messages.append((list(envelope.rcpt_tos), message))
        await asyncio.sleep(self.hold_s)
        if self.forgets:
            self.forgets -= 1
            server.transport.abort()
        return ACCEPTED

    @contextlib.contextmanager
    def started(self) -> Iterator[MailServer]:
        """Serve on the same port each time."""
        controller = Controller(
            self, hostname="127.0.0.1", port=self.port, server_hostname="localhost", ready_timeout=60
        )
        controller.start()
        try:
            yield self
        finally:
            controller.stop()

    def settings(self) -> dict[str, str]:
        """Return the registry's settings for this server."""
        return {
            "GRIDFERRY_API_SMTP_HOST": "127.0.0.1",
            "GRIDFERRY_API_SMTP_PORT": str(self.port),
            "GRIDFERRY_API_SMTP_STARTTLS": "no",
            "GRIDFERRY_API_MAIL_POLL_S": "0.1",
        }

    def subjects(self) -> list[str]:
        """Return the subjects of what was taken."""
        return [str(message["Subject"]) for _, message in self.messages]

    def sent_ids(self) -> Counter[str]:
        """Return how often each Message-ID was taken."""
        return Counter(str(message["Message-ID"]) for _, message in self.messages)
