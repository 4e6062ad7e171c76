"""The same work for several things at the same time, each within a limit."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")


def at_once(work: Callable[[Item], Result], items: Sequence[Item], limit_s: float) -> list[Result | None]:
    """Return what `work` made of each item, None for those that took longer than the limit.

    What is late goes on by itself and holds up nothing, not even the end of the program. What `work` raises is
    raised here.
    """
    results: list[Result | None] = [None] * len(items)
    raised: list[BaseException] = []

    def do(number: int) -> None:
        try:
            results[number] = work(items[number])
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            raised.append(error)

    threads = [threading.Thread(target=do, args=(number,), daemon=True) for number in range(len(items))]
    deadline = time.monotonic() + limit_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if raised:
        raise raised[0]
    return list(results)
