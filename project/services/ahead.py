"""A login while a job comes to its end, so that whoever fetches its results a moment later need not wait for one."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING

from project.core.errors import GridferryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from project.services.remote import Remote

#: How long nobody is kept waiting for: after that the login ends, as that of anybody who has nothing to do there.
_KEEP_S = 30.0
_LOOK_EVERY_S = 0.1


class LoginAhead:
    """Logs in and looks around in a thread of its own; holds up nothing, not even the end of the program.

    Args:
        log_in: it must not ask the person, who is looking at something else.
        keep_s: how long a login waits to be taken.
    """

    def __init__(self, log_in: Callable[[], Remote], keep_s: float = _KEEP_S) -> None:
        self._log_in = log_in
        self._keep_s = keep_s
        self._made: queue.SimpleQueue[Remote] = queue.SimpleQueue()
        self._taken = threading.Event()
        self._thread = threading.Thread()

    def begin(self) -> None:
        """Log in, unless that has begun already."""
        if not self._thread.is_alive() and not self._taken.is_set():
            self._thread = threading.Thread(target=self._work, daemon=True, name="login ahead")
            self._thread.start()

    def take(self) -> Remote | None:
        """Return the login, which is the caller's from now on; None if there is none, or it did not work."""
        while True:
            is_last_look = not self._thread.is_alive()
            try:
                remote = self._made.get(timeout=0 if is_last_look else _LOOK_EVERY_S)
            except queue.Empty:
                if is_last_look:
                    return None
            else:
                self._taken.set()
                return remote

    def close(self) -> None:
        """End a login that nobody has taken; one that is being made ends by itself."""
        self._taken.set()
        self._end()

    def _work(self) -> None:
        try:
            remote = self._log_in()
        except GridferryError:  # whoever needs it tries again, and hears why
            return
        self._made.put(remote)
        self._taken.wait(self._keep_s)
        self._end()

    def _end(self) -> None:
        with contextlib.suppress(queue.Empty):
            self._made.get_nowait().close()
