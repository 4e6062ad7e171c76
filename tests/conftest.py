"""What holds for every run, and what is said at its end, however many processes ran the tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests import fuzzing

if TYPE_CHECKING:
    import pytest

fuzzing.register()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the promises of the store were checked against a genuine MongoDB."""
    server = os.environ.get("MONGO_URL", "").rpartition("@")[2]
    ran = f"run ({server})" if server else "not run (set MONGO_URL to a mongod's address)"
    terminalreporter.write_line(f"real MongoDB: {ran}")
