"""Stops a sandbox's daemons, lets them go on, kills them, and starts them again."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

from project.sandbox import api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Daemons:
    """The daemons of a running sandbox.

    Args:
        folder: of the sandbox.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stopped: set[int] = set()

    def pid(self, name: str) -> int:
        """Return the process id of a daemon that runs."""
        found = api.status(self._folder).daemons[name]
        assert found is not None, f"{name} does not run"
        return found

    def stop(self, name: str) -> None:
        """Let a daemon stand still (SIGSTOP): connections are taken by the kernel, nobody answers."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGSTOP)
        self._stopped.add(pid)

    def go_on(self) -> None:
        """Let everything that was stopped go on."""
        while self._stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._stopped.pop(), signal.SIGCONT)

    @contextlib.contextmanager
    def stopped(self, name: str, seconds: float) -> Iterator[None]:
        """Let a daemon stand still for so long, while the block runs."""
        self.stop(name)
        waking = threading.Timer(seconds, self.go_on)
        waking.start()
        try:
            yield
        finally:
            waking.join()
