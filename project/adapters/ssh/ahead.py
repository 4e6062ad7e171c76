"""Lets an iterator work ahead of who uses it, in a thread of its own."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Item = TypeVar("_Item")

#: How many items may lie ready.
_AHEAD = 8


def ahead(items: Iterable[_Item]) -> Iterator[_Item]:
    """Yield `items`, fetching the next ones while one is used; reading and hashing then costs a transfer no time."""
    ready: queue.SimpleQueue[tuple[_Item] | Exception | None] = queue.SimpleQueue()
    room = threading.Semaphore(_AHEAD)
    unwanted = threading.Event()

    def work() -> None:
        try:
            for item in items:
                room.acquire()
                if unwanted.is_set():
                    return
                ready.put((item,))
            ready.put(None)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is raised where the items are used
            ready.put(error)

    thread = threading.Thread(target=work, daemon=True, name="reading ahead")
    thread.start()
    try:
        while (found := ready.get()) is not None:
            if isinstance(found, Exception):
                raise found
            yield found[0]
            room.release()
    finally:
        unwanted.set()
        room.release()
        thread.join()
