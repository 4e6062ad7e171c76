"""From what a person types to a job's UUID: any unique beginning of it will do, everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.core.errors import RegistryUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from project.ports import RecordStore, Registry

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BEGINNING = re.compile(r"[0-9a-f]{4,8}(?:-[0-9a-f-]{0,27})?")


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """Finds jobs; every attribute is a port."""

    registry: Registry
    records: RecordStore

    def find(self, text: str) -> str:
        """Return the UUID that `text` is, or is the beginning of.

        The registry's jobs and the submissions of this machine count, so one that broke off early is found, too.

        Raises:
            UsageError: it is none, nobody's, or the beginning of several.
        """
        prefix = text.strip().lower()
        if _UUID.fullmatch(prefix):
            return prefix
        if not _BEGINNING.fullmatch(prefix):
            raise UsageError(f"{text!r} is no job's UUID", remedy="Give at least the first 4 characters of it")
        known = self._known(prefix)
        if len(known) > 1:
            raise UsageError(
                f"{prefix} is the beginning of {len(known)} UUIDs",
                remedy="Give more of it",
                detail="\n".join(f"{job_uuid}  {label}" for job_uuid, label in known.items()),
            )
        if not known:
            raise UsageError(f"no job of yours begins with {prefix}", remedy="`list` shows them")
        return next(iter(known))

    def find_all(self, texts: Sequence[str]) -> list[str]:
        """Return the UUIDs of several, each once, in their order (UsageError as above)."""
        return list(dict.fromkeys(self.find(text) for text in texts))

    def _known(self, prefix: str) -> dict[str, str]:
        """Return what begins so, each with its label."""
        here = dict.fromkeys(self.records.beginning(prefix), "")
        try:
            there = {
                str(job["job_uuid"]): str(job["job_name"] or "") for job in self.registry.jobs_beginning([prefix])
            }
        except RegistryUnavailable:
            if not here:
                raise
            there = {}
        return {**here, **there}
