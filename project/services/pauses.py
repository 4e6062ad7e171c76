"""How long to wait between questions to the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 10.0
#: What a wait may add to the time that has gone by already: nobody minds a twentieth.
_SHARE = 0.05


def waits_s() -> Iterator[float]:
    """Yield the waits between questions to the registry: a twentieth of all waits before, within limits."""
    waited_s = 0.0
    while True:
        wait_s = min(_LONGEST_WAIT_S, max(_FIRST_WAIT_S, waited_s * _SHARE))
        yield wait_s
        waited_s += wait_s
