"""Clusters: what administrators say of them, and what they say of themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from api_srv import clock
from api_srv.errors import NotFound
from api_srv.services import foretold, validate
from project.core import rules
from project.core.cluster import DEFAULTS, FIELDS, REQUIRED, SHAPE, TOLD
from project.core.cluster_status import FORETOLD, STATUS, STATUS_SHAPE
from project.core.messages import SCHEMA
from project.core.problems import Problem
from project.core.rules import ANYTHING, NAME, OBJECT, optional, sized_object, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api_srv.dao.clusters import ClusterStore
    from api_srv.dao.ports import Document

#: What a cluster, or somebody for it, says of itself.
TOLD_SHAPE = {"name": NAME, "status": OBJECT._replace(schema=STATUS.schema), "schema": whole(1)}
TOLD_REQUIRED = ("name", "status")
#: What an administrator may send: a document as it is answered, or some of its keys.
EDIT_SHAPE = {
    **SHAPE,
    "status": ANYTHING._replace(schema=optional(STATUS).schema),
    "foretold": optional(FORETOLD),
    "schema": whole(1),
}
_STATUS = sized_object(8_000_000)


class Clusters:
    """The clusters of the consortium."""

    def __init__(self, store: ClusterStore) -> None:
        self._store = store

    def all(self) -> list[dict[str, Any]]:
        """Return every cluster with its status, by name."""
        statuses = self._store.statuses()
        return [self._view(cluster, statuses.get(cluster["_id"])) for cluster in self._store.all()]

    def get(self, name: str) -> dict[str, Any]:
        """Return a cluster with its status.

        Raises:
            NotFound: there is none of this name.
        """
        return self._view(self._stored(name), self._store.status(name))

    def description(self, name: str) -> dict[str, Any]:
        """Return a cluster's document without its status (NotFound as above)."""
        return _plain(self._stored(name))

    def put(self, name: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Create a cluster, or change the keys of it that `body` holds.

        Returns:
            its document, and whether it is new.

        Raises:
            Invalid: every problem of the body.
        """
        given = {key: value for key, value in body.items() if key not in {"schema", *TOLD}}
        status = body.get("status")  # null, as GET answers before the first one, says nothing
        known = self._store.get(name) is not None
        found = list(rules.problems({"name": name, **body}, EDIT_SHAPE, () if known else REQUIRED))
        if given.get("name", name) != name:
            found.append(Problem("name", f"this is not {name}", "Leave it out, or write the name in the address."))
        if status is not None:
            found.extend(status_problems(status))
        validate.refuse(found)
        created = self._store.add({"_id": name, **DEFAULTS, **given, "name": name}) if not known else False
        if not created:
            self._store.change(name, lambda cluster: _changed(cluster, given))
        if status is not None:
            self.keep_status(name, status)
        return self.get(name), created

    def remove(self, name: str) -> None:
        """Remove a cluster; jobs there keep the copy of its document (NotFound as above)."""
        self._stored(name)
        self._store.remove(name)

    def report_status(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace a cluster's status as a whole, as a user or the cluster itself may.

        Raises:
            Invalid: every problem of the body.
            NotFound: there is no such cluster.
        """
        validate.check(body, TOLD_SHAPE, TOLD_REQUIRED)
        self._stored(name)
        validate.refuse(status_problems(body.get("status")))
        self.keep_status(name, body["status"])
        return self.get(name)

    def keep_status(self, name: str, status: Mapping[str, Any]) -> None:
        """Store a status that was found right, unless a newer one is there (but none from the future).

        A cluster that is not known has none.
        """
        if self._store.get(name) is None:
            return
        now = clock.now()
        document = {"_id": name, "taken_at": status["taken_at"], "status": json.dumps(status)}

        def replaced(stored: Document) -> bool:
            newer = status["taken_at"] < stored["taken_at"] <= now
            stored.update(document)
            return not newer

        self._store.keep_status(document, replaced)

    def _view(self, cluster: Document, status: Document | None) -> dict[str, Any]:
        known = json.loads(status["status"]) if status else None
        starts = self._store.starts(cluster["_id"], foretold.LAST)
        return {**_plain(cluster), "status": known, "foretold": foretold.summary(starts)}

    def _stored(self, name: str) -> Document:
        cluster = self._store.get(name)
        if cluster is None:
            known = ", ".join(cluster["_id"] for cluster in self._store.all()) or "none yet"
            raise NotFound(f"there is no cluster {name}", f"Known clusters: {known}.")
        return cluster


def status_problems(status: Any) -> list[Problem]:
    """Return what is wrong with a cluster's status."""
    if not _STATUS.accepts(status):
        return [Problem("status", "this is no status", f"Write {_STATUS.wanted}, with taken_at, cluster and nodes.")]
    return list(rules.problems(status, STATUS_SHAPE, ["taken_at"], where="status.", more_keys=True))


def _changed(cluster: Document, given: Mapping[str, Any]) -> bool:
    before = dict(cluster)
    cluster.update(given)
    return cluster != before


def _plain(cluster: Document) -> dict[str, Any]:
    return {"schema": SCHEMA, **{key: cluster.get(key, field.default) for key, field in FIELDS.items()}}
