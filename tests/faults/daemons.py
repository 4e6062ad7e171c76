"""Stops a sandbox's daemons, lets them go on, ends them, and starts them again."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import threading
from typing import TYPE_CHECKING

from project.sandbox import launch, processes, settings
from project.sandbox.daemons import Daemon, daemon_environment, daemons, running
from project.sandbox.layout import Layout
from project.sandbox.machine import this_machine
from project.sandbox.progress import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_END_LIMIT_S = 30.0


class Daemons:
    """The daemons of a running sandbox.

    Args:
        folder: of the sandbox.
        more: further variables of those that are started from here.
    """

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._more = more or {}
        self._stopped: set[int] = set()
        self._ended: set[str] = set()

    @property
    def names(self) -> list[str]:
        """What they are called, in an order in which they can be started."""
        return [daemon.name for daemon in self._table()[1]]

    def pid(self, name: str) -> int:
        """Return the process id of a daemon that runs."""
        layout, table = self._table()
        found = running(table, processes.belonging_to(layout))[name]
        assert found is not None, f"{name} does not run"
        return found

    def _table(self) -> tuple[Layout, tuple[Daemon, ...]]:
        layout = Layout.at(self._folder)
        kept = settings.load(layout.settings)
        assert kept is not None
        return layout, daemons(layout, kept)

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

    def restore(self) -> None:
        """Let everything that was stopped go on, and start again what was ended."""
        self.go_on()
        for name in sorted(self._ended):
            self.start(name)

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """End a daemon; returns once it has."""
        process = processes.find(self.pid(name))
        assert process is not None
        self._ended.add(name)
        if how == signal.SIGTERM:
            processes.end([process], _END_LIMIT_S)
        else:
            os.kill(process.pid, how)
            while processes.is_alive(process):
                pass

    def start(self, name: str) -> None:
        """Start a daemon that was ended; returns once it listens."""
        layout, table = self._table()
        alone = [dataclasses.replace(one, after=()) for one in table if one.name == name]
        launch.start(alone, layout, {**daemon_environment(layout, this_machine()), **self._more}, silent)
        self._ended.discard(name)

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

    @contextlib.contextmanager
    def away(self, name: str, seconds: float, how: signal.Signals = signal.SIGTERM) -> Iterator[None]:
        """End a daemon and start it again after so long, while the block runs."""
        self.end(name, how)
        return_of_it = threading.Timer(seconds, self.start, [name])
        return_of_it.start()
        try:
            yield
        finally:
            return_of_it.join()
