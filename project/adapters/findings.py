"""What `doctor` found last on each cluster, kept on this machine."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from project.adapters.private_file import make_private_folder
from project.adapters.records import write_private
from project.core.findings import Finding, Known
from project.core.messages import SCHEMA, format_utc, parse_utc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


#: How long submissions go by what was found: clusters change in their maintenance windows, people mend things sooner.
GOES_BY_S = 86400.0


class KeptFindings:
    """The findings below a folder, a private file for each cluster.

    Args:
        folder: made private if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save_all(self, found: Mapping[str, Sequence[Finding]]) -> None:
        """Keep what was found on each of these clusters, instead of what was found there before."""
        make_private_folder(self._folder)
        for cluster, listed in found.items():
            document = {
                "schema": SCHEMA,
                "at": format_utc(time.time()),
                "findings": [finding._asdict() for finding in listed],
            }
            write_private(self._folder / f"{cluster}.json", json.dumps(document).encode())

    def load(self, cluster: str) -> Known:
        """Return what was found on a cluster; nothing if it was never looked at, or too long ago."""
        try:
            document: dict[str, Any] = json.loads((self._folder / f"{cluster}.json").read_bytes())
            found = [Finding(**finding) for finding in document["findings"]]
            age_s = time.time() - parse_utc(document["at"])
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return Known()
        return Known(str(document["at"]), found) if age_s < GOES_BY_S else Known()
