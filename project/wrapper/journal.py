"""What there is to report about a job, written to the cluster's disk before it is sent anywhere."""

import contextlib
import os
from typing import Any, Callable, Iterator, List, Mapping, Optional

from project.core.layout import JobPaths
from project.core.messages import Document, journal_entry
from project.core.slurm.states import is_end_state
from project.core.states import is_final
from project.core.units import whole_number
from project.wrapper import files
from project.wrapper.clock import Clock

_SUFFIX = ".json"
#: The kind of entries that are large, rows of a thousand tasks: their bodies stay on the disk until they are read.
_LARGE = "tasks"


class Superseded(Exception):
    """Somebody else has written to the journal meanwhile: what we meant to add may be known already, or wrong."""


class Journal:
    """The numbered entries of one job, from 1, without gaps.

    Args:
        job_uuid: of the job.
        paths: of the job.
        clock: gives each entry its time.
        listener: called with each entry this process adds.
    """

    def __init__(
        self, job_uuid: str, paths: JobPaths, clock: Clock, listener: Callable[[Document], None] = lambda _: None
    ) -> None:
        self._job_uuid = job_uuid
        self._paths = paths
        self._clock = clock
        self._listener = listener
        self._entries: List[Document] = []

    def append(self, kind: str, body: Mapping[str, Any]) -> None:
        """Add an entry, unless the same is there: what is done again after a crash is not told again.

        When this returns, the entry is on disk and its number is its own.
        """
        while not any((entry["kind"], entry["body"]) == (kind, body) for entry in self._known()):
            with contextlib.suppress(Superseded):
                self.append_next(len(self._entries), kind, body)

    def append_next(self, last_seq: int, kind: str, body: Mapping[str, Any]) -> None:
        """Add an entry as the one after `last_seq`: it follows from what was told until then, and may be told again.

        Raises:
            Superseded: somebody else has added one.
        """
        entry = journal_entry(self._job_uuid, last_seq + 1, self._clock.now_utc(), kind, body)
        if not files.create(self._file(last_seq + 1), files.to_json(entry)):
            raise Superseded(self._job_uuid)
        if len(self._entries) == last_seq:
            self._entries.append(_light(entry))
        self._listener(entry)

    def entries(self) -> List[Document]:
        """All entries, in order."""
        return list(self.read())

    def last_seq(self) -> int:
        """Return the number of the newest entry, 0 before the first."""
        return len(self._known())

    def unsent(self) -> Iterator[Document]:
        """Yield the entries the registry has not acknowledged yet."""
        return self.read(self.acknowledged())

    def has_unsent(self) -> bool:
        """Whether the registry has not acknowledged everything."""
        return self.last_seq() > self.acknowledged()

    def read(self, after: int = 0) -> Iterator[Document]:
        """Yield the entries after a number."""
        for seq in range(after + 1, self.last_seq() + 1):
            known = self._entries[seq - 1]
            whole = self._read(seq) if known["kind"] == _LARGE else known
            if whole is None:
                raise files.Damaged(self._file(seq))
            yield whole

    def _known(self) -> List[Document]:
        """Return all entries, large ones without their bodies; what others added meanwhile is read."""
        while True:
            entry = self._read(len(self._entries) + 1)
            if entry is None:
                return self._entries
            self._entries.append(_light(entry))

    def _read(self, seq: int) -> Optional[Document]:
        """Return an entry, None if there is none of this number."""
        entry: Optional[Document] = files.read_json(self._file(seq))
        if entry is None or (isinstance(entry, dict) and isinstance(entry.get("body"), dict) and "kind" in entry):
            return entry
        raise files.Damaged(self._file(seq))

    def acknowledged(self) -> int:
        """Return the number of the last entry the registry has taken."""
        number = whole_number(files.read_text(self._paths.acknowledged) or "0")
        if number is None:
            raise files.Damaged(self._paths.acknowledged)
        return number

    def acknowledge(self, seq: int) -> bool:
        """Remember that the registry has everything up to `seq`, and nothing beyond; return whether that is news.

        A registry that was set up anew from an older copy has less than it had.
        """
        seq = min(seq, self.last_seq())
        if seq == self.acknowledged():
            return False
        files.replace(self._paths.acknowledged, str(seq).encode())
        return True

    def _file(self, seq: int) -> str:
        return os.path.join(self._paths.journal, f"{seq:06d}{_SUFFIX}")

    def states(self) -> List[str]:
        """Return the states that were entered, in order."""
        return [str(entry["body"].get("state")) for entry in self._known() if entry["kind"] == "state"]

    def last_state(self) -> str:
        """Return the state of the newest `state` entry, "" before the first."""
        states = self.states()
        return states[-1] if states else ""

    def has_end(self) -> bool:
        """Whether the job has ended: in Slurm, or for us."""
        return any(is_final(state) or is_end_state(state) for state in self.states())


def _light(entry: Document) -> Document:
    """Return what is remembered of an entry."""
    return dict(entry, body={}) if entry["kind"] == _LARGE else entry
