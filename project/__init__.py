"""Gridferry's client. From Python: `from project import Client` (docs/python.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from project.client import Client as Client
    from project.client import Job as Job

__all__ = ["Client", "Job"]


def __getattr__(name: str) -> Any:
    """Import the client when it is asked for: the command line and what is shipped start without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from project import client  # noqa: PLC0415 - see above

    return getattr(client, name)
