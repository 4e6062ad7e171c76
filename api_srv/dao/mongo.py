"""The production store: MongoDB through pymongo; neither replica set nor transactions are needed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from pymongo import ASCENDING, DESCENDING, MongoClient, ReplaceOne
from pymongo.errors import BulkWriteError, ConfigurationError, DuplicateKeyError, InvalidURI, PyMongoError

from api_srv.dao.schema import INDEXES, known_path
from api_srv.errors import SettingsInvalid, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pymongo.collection import Collection

    from api_srv.dao.ports import Condition, Document

_DEFAULT_DATABASE = "gridferry"
#: Who asked repeats what got no answer, so pymongo need not; a write counts once it is in the journal.
_OPTIONS: dict[str, Any] = {
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 3_000,
    "socketTimeoutMS": 20_000,
    "retryWrites": False,
    "w": "majority",
    "journal": True,
}
_DUPLICATE_KEY = 11_000
_OPERATORS = {"=": "$eq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


class MongoDocuments:
    """Documents as MongoDB's own; see ports.Documents for what each method promises.

    Args:
        url: `mongodb://[user:password@]host[:port]/[database]`.
    """

    kind = "mongodb"

    def __init__(self, url: str) -> None:
        try:
            self._client: MongoClient[Document] = MongoClient(url, **_options(url))
            self._database = self._client.get_default_database(_DEFAULT_DATABASE)
        except (InvalidURI, ConfigurationError, ValueError) as error:
            raise SettingsInvalid(f"the store's address cannot be used: {error}", "Check it.") from error
        self._indexed = False

    def insert(self, collection: str, document: Document) -> bool:
        """Store a new document; False if its `_id` is taken."""
        with self._collection(collection) as documents:
            try:
                documents.insert_one({**document, "rv": 1})
            except DuplicateKeyError:
                return False
            return True

    def get(self, collection: str, key: str) -> Document | None:
        """Return the document with this `_id`."""
        with self._collection(collection) as documents:
            return documents.find_one({"_id": {"$eq": key}})

    def replace(self, collection: str, document: Document) -> bool:
        """Store over the document with the same `_id` and `rv`; False if there is none."""
        key, rv = document["_id"], document["rv"]
        with self._collection(collection) as documents:
            result = documents.replace_one({"_id": key, "rv": rv}, {**document, "rv": rv + 1})
            return result.matched_count == 1

    def keep_newest(self, collection: str, documents: Sequence[Document]) -> None:
        """Store each document unless a newer one (by `seq`) lies there."""
        known = self._insert_new(collection, documents)
        if not known:
            return
        with self._collection(collection) as stored:
            # No upsert: one that finds a newer document would try to insert it again.
            stored.bulk_write(
                [ReplaceOne({"_id": one["_id"], "seq": {"$lte": one["seq"]}}, {**one, "rv": 2}) for one in known],
                ordered=False,
            )

    def _insert_new(self, collection: str, documents: Sequence[Document]) -> list[Document]:
        """Insert the documents whose `_id` is new; return the others."""
        if not documents:
            return []
        with self._collection(collection) as stored:
            try:
                stored.insert_many([{**document, "rv": 1} for document in documents], ordered=False)
            except BulkWriteError as error:
                failures = (error.details or {}).get("writeErrors", [])
                if any(failure["code"] != _DUPLICATE_KEY for failure in failures):
                    raise
                return [documents[failure["index"]] for failure in failures]
            return []

    def delete(self, collection: str, key: str) -> bool:
        """Remove the document with this `_id`; False if there is none."""
        with self._collection(collection) as documents:
            return documents.delete_one({"_id": {"$eq": key}}).deleted_count == 1

    def find(
        self,
        collection: str,
        *conditions: Condition,
        order: str = "_id",
        descending: bool = False,
        limit: int | None = None,
    ) -> list[Document]:
        """Return the matching documents, sorted."""
        direction = DESCENDING if descending else ASCENDING
        if limit == 0:  # MongoDB reads 0 as "no limit"
            return []
        with self._collection(collection) as documents:
            return list(
                documents.find(_filter(collection, conditions))
                .sort(known_path(collection, order), direction)
                .limit(limit or 0)
            )

    def count(self, collection: str, *conditions: Condition) -> int:
        """Return how many documents match."""
        with self._collection(collection) as documents:
            return documents.count_documents(_filter(collection, conditions))

    def ping(self) -> None:
        """Raise StoreUnavailable unless the server answers."""
        with _translated():
            self._client.admin.command("ping")

    def close(self) -> None:
        """Close this process's connections."""
        self._client.close()

    @contextmanager
    def _collection(self, name: str) -> Iterator[Collection[Document]]:
        """Yield a collection; indexes are made at first use, so the registry starts without its database."""
        with _translated():
            if not self._indexed:
                for collection, indexes in INDEXES.items():
                    for index in indexes:
                        self._database[collection].create_index([(path, ASCENDING) for path in index])
                self._indexed = True
            yield self._database[name]

    def _make_indexes(self) -> None:
        for collection, indexes in INDEXES.items():
            for index in indexes:
                self._database[collection].create_index([(path, ASCENDING) for path in index])


def _options(url: str) -> dict[str, Any]:
    """Return our options but those the address sets itself (pymongo would let ours win)."""
    given = {name.lower() for name in parse_qs(urlsplit(url).query)}
    return {name: value for name, value in _OPTIONS.items() if name.lower() not in given}


def _filter(collection: str, conditions: Sequence[Condition]) -> dict[str, Any]:
    """Write conditions as a filter; several on one path are joined."""
    joined: dict[str, dict[str, Any]] = {}
    for path, operator, value in conditions:
        joined.setdefault(known_path(collection, path), {})[_OPERATORS[operator]] = value
    return joined


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise StoreUnavailable(str(error).split(",", 1)[0]) from error
