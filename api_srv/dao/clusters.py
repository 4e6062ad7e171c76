"""Clusters and their newest status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api_srv.dao.documents import update
from api_srv.dao.ports import Condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_srv.dao.ports import Document, Documents


class ClusterStore:
    """Clusters by name. A status lies apart: it changes often and must not collide with an edit."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def all(self) -> list[Document]:
        """Return every cluster, by name."""
        return self._documents.find("clusters")

    def get(self, name: str) -> Document | None:
        """Return a cluster."""
        return self._documents.get("clusters", name)

    def add(self, cluster: Document) -> bool:
        """Store a new cluster; False if its name is taken."""
        return self._documents.insert("clusters", cluster)

    def change(self, name: str, change: Callable[[Document], bool]) -> Document | None:
        """Let `change` alter a cluster (see documents.update); None if there is none."""
        return update(self._documents, "clusters", name, change)

    def remove(self, name: str) -> bool:
        """Remove a cluster and its status; False if there is none."""
        self._documents.delete("statuses", name)
        return self._documents.delete("clusters", name)

    def statuses(self) -> dict[str, Document]:
        """Return the newest status document of each cluster that has one."""
        return {document["_id"]: document for document in self._documents.find("statuses")}

    def status(self, name: str) -> Document | None:
        """Return the newest status document of a cluster."""
        return self._documents.get("statuses", name)

    def starts(self, name: str, limit: int) -> list[Document]:
        """Return the last starts on a cluster that had been foretold."""
        return self._documents.find(
            "starts", Condition("cluster", "=", name), order="at", descending=True, limit=limit
        )

    def keep_status(self, status: Document, change: Callable[[Document], bool]) -> None:
        """Store the first status of a cluster, or let `change` alter the one that is there."""
        if not self._documents.insert("statuses", status):
            update(self._documents, "statuses", status["_id"], change)
