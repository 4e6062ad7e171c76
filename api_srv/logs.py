"""The registry's log: one line for each message, whatever a request, a cluster or a mail server put into it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from project.core.printable import harmless

if TYPE_CHECKING:
    from types import TracebackType

_FORMAT = "%(asctime)s %(name)s %(levelname)s %(message)s"


class HarmlessFormatter(logging.Formatter):
    """Keeps a message on its line, so that nobody can write lines of their own, and commands no terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Write the line."""
        return harmless(super().formatMessage(record)).replace("\n", " ")

    def formatException(  # noqa: N802 - logging's name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | Any
    ) -> str:
        """Write a traceback, over as many lines as it has."""
        return harmless(super().formatException(ei))


def set_up() -> None:
    """Log warnings and worse to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(HarmlessFormatter(_FORMAT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
