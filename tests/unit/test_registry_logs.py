"""The registry's log."""

from __future__ import annotations

import io
import logging
import sys

from api_srv.logs import HarmlessFormatter


def _logged(message: str, *values: object, exc_info: bool = False) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(HarmlessFormatter("%(levelname)s %(message)s"))
    error = sys.exc_info() if exc_info else None
    handler.handle(logging.LogRecord("x", logging.ERROR, "", 0, message, values, error))
    return stream.getvalue()


def _fail() -> None:
    raise ValueError("first\x1b]0;title\x07\nsecond")


def test_nobody_writes_lines_of_their_own() -> None:
    """A path or an answer with line ends and terminal commands stays part of its line."""
    assert _logged("GET %s failed", "/x\nERROR lost\r\x1b[2J") == "ERROR GET /x ERROR lost\ufffd failed\n"


def test_a_traceback_keeps_its_lines_and_no_commands() -> None:
    """It is for the maintainers, who look at it on a terminal."""
    try:
        _fail()
    except ValueError:
        logged = _logged("it failed", exc_info=True)
    assert logged.startswith("ERROR it failed\nTraceback (most recent call last):\n")
    assert logged.endswith("ValueError: first\nsecond\n")
