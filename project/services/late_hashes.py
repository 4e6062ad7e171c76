"""The hashes of large files: the cluster makes them while the files are on their way, and tells them last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class LateHashes:
    """Tells the SHA-256 of files by their paths on the cluster; whoever asks waits until the cluster has told it.

    Args:
        events: of the program there, after those that list the files.
    """

    def __init__(self, events: Iterator[Mapping[str, Any]]) -> None:
        self._events = events
        self._known: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        """Return a file's hash, "" if the cluster cannot tell it.

        Raises:
            Unreachable: the connection broke.
        """
        while path not in self._known:
            event = next(self._events, None)
            if event is None:
                return ""
            if event["event"] == "hash":
                self._known[str(event["path"])] = str(event["sha256"])
        return self._known[path]
