"""This machine's own record of every submission: one private JSON file each, and what was to be uploaded."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from project.adapters.private_file import make_private_folder
from project.ports import Stage
from project.wrapper import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_UNFINISHED = (Stage.CREATED, Stage.LAUNCHED, Stage.HANDED_OVER)


class Records:
    """The records below a folder.

    Args:
        folder: made private if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, record: dict[str, Any]) -> None:
        """Write a record whole or not at all, safely on disk when this returns."""
        make_private_folder(self._folder)
        content = json.dumps(record, indent=1, sort_keys=True).encode()
        write_private(self._folder / f"{record['job_uuid']}.json", content)

    def load(self, job_uuid: str) -> dict[str, Any] | None:
        """Return the record of a job, None if it was not submitted from here."""
        try:
            return dict(json.loads((self._folder / f"{job_uuid}.json").read_bytes()))
        except FileNotFoundError:
            return None

    def parcel(self, job_uuid: str) -> Path:
        """Where the parcel of a job is kept until the job is in Slurm's queue."""
        make_private_folder(self._folder)
        return self._folder / f"{job_uuid}.tar.gz"

    def forget_parcel(self, job_uuid: str) -> None:
        """Remove what is not needed any more."""
        self.parcel(job_uuid).unlink(missing_ok=True)

    def unfinished(self, input_sha256: str) -> dict[str, Any] | None:
        """Return the newest submission of the same input of which more is to be known, if any.

        It was planned, and is not known to have come into Slurm's queue or to have failed.
        """
        candidates = [record for record in self._all() if record.get("input_sha256") == input_sha256]
        pending = [record for record in candidates if record.get("stage") in _UNFINISHED and "job" in record]
        return max(pending, key=lambda record: record["created_at"], default=None)

    def newest_on(self, cluster: str) -> dict[str, Any] | None:
        """Return the record of the newest submission that came as far as a login on a cluster, None if none did."""
        there = [record for record in self._all() if record.get("cluster") == cluster and "job" in record]
        return max(there, key=lambda record: str(record["created_at"]), default=None)

    def beginning(self, prefix: str) -> list[str]:
        """Return the UUIDs on record that begin so."""
        return sorted(path.stem for path in self._folder.glob("*.json") if path.stem.startswith(prefix))

    def clusters(self) -> set[str]:
        """Return the names of the clusters that submissions went to."""
        names = (str(record.get("cluster") or "").split() for record in self._all() if "job" in record)
        return {name for known in names for name in known}

    def _all(self) -> Iterator[dict[str, Any]]:
        for path in self._folder.glob("*.json"):
            with contextlib.suppress(ValueError):
                yield json.loads(path.read_bytes())


def write_private(path: Path, content: bytes) -> None:
    """Write a private file whole or not at all, safely on disk when this returns."""
    files.replace(str(path), content)
