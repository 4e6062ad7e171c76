"""What a relay needs of whatever carries its mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from project.core.errors import GridferryError

if TYPE_CHECKING:
    from email.message import EmailMessage


class Undeliverable(GridferryError):
    """This mail was refused for good; others may pass."""


class TryLater(GridferryError):
    """This mail was not taken now; others may pass."""

    transient = True


class CarrierAway(GridferryError):
    """No mail passes now."""

    transient = True


class Carrier(Protocol):
    """Carries mail away."""

    @property
    def kind(self) -> str:
        """What the health page calls it: `smtp` or `folder`."""

    @property
    def place(self) -> str:
        """Where the mail goes, in words for the administrator."""

    def send(self, message: EmailMessage) -> None:
        """Carry one message to its `To`.

        Raises:
            Undeliverable, TryLater, CarrierAway: it was not taken.
        """
