"""How long to wait between questions to the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 15.0
_GROWTH = 1.3


def waits_s() -> Iterator[float]:
    """Yield the waits between questions to the registry: short at first, never longer than a quarter of a minute."""
    wait_s = _FIRST_WAIT_S
    while True:
        yield wait_s
        wait_s = min(_LONGEST_WAIT_S, wait_s * _GROWTH)
