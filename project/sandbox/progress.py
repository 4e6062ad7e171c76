"""Telling the caller what was done, and how long it took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Progress = Callable[[str, float], None]
"""Told each finished step: what it was, and the seconds it took. Always called from the caller's own thread."""


def silent(_step: str, _seconds: float) -> None:
    """Tell nobody."""


@contextlib.contextmanager
def step(name: str, progress: Progress) -> Iterator[None]:
    """Time what is done inside, and tell it when it has worked."""
    at = time.monotonic()
    yield
    progress(name, time.monotonic() - at)
