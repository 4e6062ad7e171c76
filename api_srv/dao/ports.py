"""The interface of a document store, as narrow as the registry can live with.

A document is a JSON object with `_id` (text) and, once stored, `rv` (its revision, counted by the store). Its
keys are ours; JSON that somebody else made up is kept in it as text. There is no update language: a change is
made in Python and stored where `_id` and `rv` are still those that were read (`update` in documents.py). A
filter is a list of (path, operator, text or integer), its paths declared in schema.py. Every method raises
StoreUnavailable when the database does not answer; whatever a lost answer leaves undone may be repeated,
since every insert carries its unique `_id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

Document = dict[str, Any]


class Condition(NamedTuple):
    """A document matches when the value at `path` compares so with `value`, which has the same type (flags too)."""

    path: str
    operator: Literal["=", "<", "<=", ">", ">="]
    value: str | int


class Documents(Protocol):
    """Collections of documents. Safe to use from many threads and, on the same database, many processes."""

    @property
    def kind(self) -> str:
        """What the health page calls it: `sqlite` or `mongodb`."""

    def insert(self, collection: str, document: Document) -> bool:
        """Store a new document with revision 1; False, and nothing done, if its `_id` is taken."""

    def get(self, collection: str, key: str) -> Document | None:
        """Return the document with this `_id`."""

    def replace(self, collection: str, document: Document) -> bool:
        """Store over the document with the same `_id` and `rv`, which grows by 1; False if there is none."""

    def keep_newest(self, collection: str, documents: Sequence[Document]) -> None:
        """Store each document under its `_id`, unless one with a higher `seq` lies there.

        Their `rv` means nothing: such documents are never replaced otherwise.
        """

    def delete(self, collection: str, key: str) -> bool:
        """Remove the document with this `_id`; False if there is none."""

    def find(
        self,
        collection: str,
        *conditions: Condition,
        order: str = "_id",
        descending: bool = False,
        limit: int | None = None,
    ) -> list[Document]:
        """Return the documents that match every condition, sorted by the path `order` (ties in any order)."""

    def count(self, collection: str, *conditions: Condition) -> int:
        """Return how many documents match every condition."""

    def ping(self) -> None:
        """Raise StoreUnavailable unless the database answers."""

    def close(self) -> None:
        """Close this process's connections."""
