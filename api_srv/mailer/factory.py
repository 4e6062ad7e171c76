"""Chooses the carrier that the settings ask for, and puts the relay together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api_srv.mailer.folder import FolderCarrier
from api_srv.mailer.relay import Relay
from api_srv.mailer.smtp import SmtpCarrier

if TYPE_CHECKING:
    from api_srv.config import Settings
    from api_srv.mailer.ports import Carrier
    from api_srv.services.bundle import Services


def make_carrier(settings: Settings) -> Carrier:
    """Return the mail server's carrier if one is set, else the folder's."""
    return SmtpCarrier(settings) if settings.smtp_host else FolderCarrier(settings.data_dir / "mail")


def make_relay(services: Services) -> Relay:
    """Return a relay over these services."""
    carrier = make_carrier(services.settings)
    return Relay(services.outbox, services.job_store, services.user_store, carrier, services.settings)
