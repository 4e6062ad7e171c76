"""Mail without a mail server: one .eml file for each message."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from api_srv.mailer.ports import CarrierAway

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path


class FolderCarrier:
    """Writes each message to a file named after its Message-ID, so that sending twice leaves one."""

    kind = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def place(self) -> str:
        """The folder."""
        return f".eml files in {self._folder}"

    def send(self, message: EmailMessage) -> None:
        """Write the message under its final name once it is whole."""
        name = re.sub(r"[^A-Za-z0-9.-]", "_", str(message["Message-ID"]).strip("<>").partition("@")[0])
        target = self._folder / f"{name}.eml"
        part = target.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(part, "wb", opener=_private) as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise CarrierAway(f"mail cannot be written to {self._folder}: {error}") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
