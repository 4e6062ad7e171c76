"""Jobs, their tasks and their events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api_srv.dao.documents import update
from api_srv.dao.ports import Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from api_srv.dao.ports import Document, Documents

#: Sorts behind every character of a UUID.
_AFTER_ALL = "~"

#: A lease's epoch grows by one with each follower; the registry does not miss more of them than that.
_LARGEST_STEP = 100_000
_HIGHEST_FIRST = 10**9


class JobStore:
    """Jobs by UUID.

    A change that adds events or tasks stores these first, under keys a repetition finds taken, and counts
    on them in the job's compare-and-set afterwards: killed in between, nothing is lost or doubled.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def add(self, job: Document) -> bool:
        """Store a new job; False if its UUID is taken."""
        return self._documents.insert("jobs", job)

    def get(self, job_uuid: str) -> Document | None:
        """Return a job."""
        return self._documents.get("jobs", job_uuid)

    def change(self, job_uuid: str, change: Callable[[Document], bool]) -> Document | None:
        """Let `change` alter a job (see documents.update); None if there is none."""
        return update(self._documents, "jobs", job_uuid, change)

    def of_owner(self, owner: str, *conditions: Condition, after: str = "", limit: int) -> list[Document]:
        """Return an account's newest jobs that match, older than the job `after`."""
        previous = self.get(after) if after else None
        if previous and previous["owner"] != owner:  # it does not even tell when it was made
            previous = None
        older = [Condition("sort", "<", previous["sort"])] if previous else []
        own = Condition("owner", "=", owner)
        return self._documents.find("jobs", own, *conditions, *older, order="sort", descending=True, limit=limit)

    def has_on(self, owner: str, cluster: str) -> bool:
        """Whether an account has, or had, a job on a cluster."""
        return bool(self.of_owner(owner, Condition("cluster", "=", cluster), limit=1))

    def of_campaign(self, owner: str, campaign: str) -> list[Document]:
        """Return an account's parts of a campaign, in the order of their creation."""
        return self._documents.find(
            "jobs", Condition("owner", "=", owner), Condition("campaign", "=", campaign), order="sort"
        )

    def beginning(self, owner: str, prefix: str, limit: int) -> list[Document]:
        """Return an account's jobs whose UUID begins so."""
        within = (Condition("_id", ">=", prefix), Condition("_id", "<", prefix + _AFTER_ALL))
        return self._documents.find("jobs", Condition("owner", "=", owner), *within, limit=limit)

    def add_event(self, event: Document) -> None:
        """Store an event; if its key is taken, it was stored before."""
        self._documents.insert("events", event)

    def events(self, job_uuid: str) -> list[Document]:
        """Return a job's events in their order."""
        return self._documents.find("events", Condition("job_uuid", "=", job_uuid), order="sort")

    def keep_tasks(self, rows: Sequence[Document]) -> None:
        """Store the newest row of each task."""
        self._documents.keep_newest("tasks", rows)

    def tasks(self, job_uuid: str) -> list[Document]:
        """Return the last known row of each task, by task number."""
        return self._documents.find("tasks", Condition("job_uuid", "=", job_uuid), order="sort")

    def keep_start(self, start: Document) -> None:
        """Store when a job began whose start had been foretold; the first that is told counts."""
        self._documents.insert("starts", start)

    def raise_epoch(self, owner: str, cluster: str, epoch: int) -> int:
        """Note a follower's epoch and return the highest seen for this account and cluster.

        One that is far too high is not noted, else a stolen token could leave no room above for any true follower.
        """
        key = f"{owner}/{cluster}"
        if self._documents.insert("epochs", {"_id": key, "epoch": min(epoch, _HIGHEST_FIRST)}):
            return epoch

        def raised(stored: Document) -> bool:
            higher: bool = stored["epoch"] < epoch <= stored["epoch"] + _LARGEST_STEP
            stored["epoch"] = epoch if higher else stored["epoch"]
            return higher

        stored = update(self._documents, "epochs", key, raised)
        return int(stored["epoch"]) if stored else epoch
