"""What both databases share: the compare-and-set loop and the choice of the database by its address."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from api_srv.errors import SettingsInvalid, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from api_srv.dao.ports import Condition, Document, Documents

_ATTEMPTS = 100
_LONGEST_PAUSE_S = 0.02


def update(documents: Documents, collection: str, key: str, change: Callable[[Document], bool]) -> Document | None:
    """Read a document, let `change` alter it, store it if nobody else wrote it meanwhile; else start again.

    `change` returns False when there is nothing to store. It may run several times, so whatever else it does
    must be harmless when repeated.

    Returns:
        the document as it is now, or None if there is none with this key.

    Raises:
        StoreUnavailable: others kept winning for about a second.
    """
    for _ in range(_ATTEMPTS):
        document = documents.get(collection, key)
        if document is None or not change(document):
            return document
        if documents.replace(collection, document):
            return {**document, "rv": document["rv"] + 1}
        time.sleep(random.uniform(0, _LONGEST_PAUSE_S))  # noqa: S311 - spreads rivals, guards nothing
    raise StoreUnavailable(f"too many changes at once to one document of {collection}")


def remove(documents: Documents, collection: str, condition: Condition) -> int:
    """Remove every document that meets a condition; return how many there were."""
    found = documents.find(collection, condition)
    return sum(documents.delete(collection, document["_id"]) for document in found)


def open_documents(store_url: str, data_dir: Path) -> Documents:
    """Open the database that `store_url` names; "" means the SQLite file in `data_dir`.

    Raises:
        SettingsInvalid: the address is neither `mongodb://…`, `mongodb+srv://…` nor `sqlite:///path`.
    """
    from api_srv.dao.sqlite import SqliteDocuments  # noqa: PLC0415 - only what is used is imported

    if not store_url:
        return SqliteDocuments(data_dir / "registry.sqlite3")
    scheme, separator, rest = store_url.partition("://")
    if separator and scheme == "sqlite" and rest.startswith("/"):
        return SqliteDocuments(data_dir / rest[1:])
    if separator and scheme in {"mongodb", "mongodb+srv"}:
        from api_srv.dao.mongo import MongoDocuments  # noqa: PLC0415 - only what is used is imported

        return MongoDocuments(store_url)
    raise SettingsInvalid(
        f"the store's address begins with {scheme[:20]!r}", "Write mongodb://host/database or sqlite:///path."
    )
