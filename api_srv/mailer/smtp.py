"""Mail through a mail server."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from api_srv.mailer.ports import CarrierAway, TryLater, Undeliverable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from api_srv.config import Settings

#: To connect, and for each answer before a message is offered.
_GREETING_LIMIT_S = 60.0
#: For each answer about a message. RFC 5321, 4.5.3.2.6: a server that scans what it was given may take 10 minutes to
#: say that it has it; who gives up before sends it twice.
_MESSAGE_LIMIT_S = 600.0
_PERMANENT = 500  # RFC 5321: 5xx means for good, 4xx for now


class SmtpCarrier:
    """One connection for each message: simple, and nothing to keep alive between rare mails."""

    kind = "smtp"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def place(self) -> str:
        """The mail server."""
        encrypted = "with" if self._settings.smtp_starttls else "without"
        return f"mail server {self._settings.smtp_host}:{self._settings.smtp_port} {encrypted} STARTTLS"

    def send(self, message: EmailMessage) -> None:
        """Hand the message to the mail server; return once it has taken charge of it."""
        try:
            with self._session() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise _refusal(code, answer) from error
        except smtplib.SMTPDataError as error:
            raise _refusal(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Undeliverable(f"the mail server cannot carry it: {error}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise CarrierAway(f"{self.place} does not take mail: {error}") from error

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        own_name = settings.mail_from.rpartition("@")[2]  # else smtplib asks the DNS who we are, which may take long
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, own_name, timeout=_GREETING_LIMIT_S)
        try:
            self._log_in(server)
            if server.sock is not None:
                server.sock.settimeout(_MESSAGE_LIMIT_S)
            yield server
        finally:
            with suppress(smtplib.SMTPException, OSError):  # what was taken stays taken, however we part
                server.quit()
            server.close()

    def _log_in(self, server: smtplib.SMTP) -> None:
        settings = self._settings
        try:
            if settings.smtp_starttls:
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
        except smtplib.SMTPNotSupportedError as error:
            raise CarrierAway(f"{self.place}: {error}") from error


def _refusal(code: int, answer: bytes | str) -> Undeliverable | TryLater:
    words = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    kind = Undeliverable if code >= _PERMANENT else TryLater
    return kind(f"the mail server said {code} {words}")
