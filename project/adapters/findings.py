"""What `doctor` found last on each cluster, kept on this machine."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from project.adapters.records import write_private
from project.core.findings import Finding
from project.core.messages import SCHEMA, format_utc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class KeptFindings:
    """The findings below a folder, a private file for each cluster.

    Args:
        folder: made private if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save_all(self, found: Mapping[str, Sequence[Finding]]) -> None:
        """Keep what was found on each of these clusters, instead of what was found there before."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for cluster, listed in found.items():
            document = {
                "schema": SCHEMA,
                "at": format_utc(time.time()),
                "findings": [finding._asdict() for finding in listed],
            }
            write_private(self._folder / f"{cluster}.json", json.dumps(document).encode())

    def load(self, cluster: str) -> tuple[str, list[Finding]]:
        """Return when a cluster was looked at and what was found; "" and nothing if it never was."""
        try:
            document: dict[str, Any] = json.loads((self._folder / f"{cluster}.json").read_bytes())
            return str(document["at"]), [Finding(**found) for found in document["findings"]]
        except (OSError, ValueError, LookupError, TypeError):
            return "", []
