"""The embedded store: one SQLite file, proof against kill -9, shared by threads and processes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from api_srv.dao.schema import INDEXES, known_path
from api_srv.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from api_srv.dao.ports import Condition, Document

_BUSY_TIMEOUT_S = 30.0
_LEAST_FREE_BYTES = 1024 * 1024


class SqliteDocuments:
    """Documents as JSON text, one table per collection; ports.Documents says what each method promises."""

    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[tuple[int, sqlite3.Connection]] = []
        try:
            path.touch(0o600)  # whatever the umask: SQLite gives its other files the rights of this one
        except OSError as error:
            raise StoreUnavailable(error) from error
        with self._writing() as connection:
            for statement in _schema():
                connection.execute(statement)

    def insert(self, collection: str, document: Document) -> bool:
        """Store a new document; False if its `_id` is taken."""
        statement = f"INSERT OR IGNORE INTO {_table(collection)} (id, rv, body) VALUES (?, 1, ?)"  # noqa: S608
        with self._writing() as connection:
            return connection.execute(statement, (document["_id"], _body(document))).rowcount == 1

    def get(self, collection: str, key: str) -> Document | None:
        """Return the document with this `_id`."""
        statement = f"SELECT id, rv, body FROM {_table(collection)} WHERE id = ?"  # noqa: S608
        with self._reading() as connection:
            row = connection.execute(statement, (key,)).fetchone()
        return _document(row) if row else None

    def replace(self, collection: str, document: Document) -> bool:
        """Store over the document with the same `_id` and `rv`; False if there is none."""
        statement = f"UPDATE {_table(collection)} SET rv = rv + 1, body = ? WHERE id = ? AND rv = ?"  # noqa: S608
        with self._writing() as connection:
            values = (_body(document), document["_id"], document["rv"])
            return connection.execute(statement, values).rowcount == 1

    def keep_newest(self, collection: str, documents: Sequence[Document]) -> None:
        """Store each document unless a newer one (by `seq`) lies there; all of them in one transaction."""
        statement = (
            f"INSERT INTO {_table(collection)} (id, rv, body) VALUES (?, 1, ?) "  # noqa: S608
            "ON CONFLICT (id) DO UPDATE SET rv = rv + 1, body = excluded.body "
            "WHERE json_extract(body, '$.seq') <= json_extract(excluded.body, '$.seq')"
        )
        with self._writing() as connection:
            connection.executemany(statement, [(document["_id"], _body(document)) for document in documents])

    def delete(self, collection: str, key: str) -> bool:
        """Remove the document with this `_id`; False if there is none."""
        with self._writing() as connection:
            statement = f"DELETE FROM {_table(collection)} WHERE id = ?"  # noqa: S608
            return connection.execute(statement, (key,)).rowcount == 1

    def find(
        self,
        collection: str,
        *conditions: Condition,
        order: str = "_id",
        descending: bool = False,
        limit: int | None = None,
    ) -> list[Document]:
        """Return the matching documents, sorted."""
        where, values = _where(collection, conditions)
        direction = "DESC" if descending else "ASC"
        statement = (
            f"SELECT id, rv, body FROM {_table(collection)} {where} "  # noqa: S608
            f"ORDER BY {_column(collection, order)} {direction} LIMIT ?"
        )
        with self._reading() as connection:
            rows = connection.execute(statement, (*values, -1 if limit is None else limit)).fetchall()
        return [_document(row) for row in rows]

    def count(self, collection: str, *conditions: Condition) -> int:
        """Return how many documents match."""
        where, values = _where(collection, conditions)
        with self._reading() as connection:
            statement = f"SELECT count(*) FROM {_table(collection)} {where}"  # noqa: S608
            return int(connection.execute(statement, values).fetchone()[0])

    def ping(self) -> None:
        """Raise StoreUnavailable unless the file can be read, and has room to grow."""
        with self._reading() as connection:
            connection.execute("SELECT 1 FROM jobs LIMIT 1").fetchone()
        if shutil.disk_usage(self._path.parent).free < _LEAST_FREE_BYTES:
            raise StoreUnavailable(f"the disk of {self._path.parent} is full")

    def close(self) -> None:
        """Close this process's connections."""
        for pid, connection in self._opened:
            if pid == os.getpid():
                connection.close()
        self._opened.clear()
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection; one inherited through fork is left alone and replaced."""
        pid = os.getpid()
        if getattr(self._local, "pid", None) != pid:
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._local.pid, self._local.connection = pid, connection
            self._opened.append((pid, connection))
        own: sqlite3.Connection = self._local.connection
        return own

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection()
        except sqlite3.Error as error:
            raise StoreUnavailable(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which takes the write lock at its beginning and so never lacks it half-way."""
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise


def _table(collection: str) -> str:
    if collection not in INDEXES:
        raise KeyError(f"no collection {collection!r}")
    return collection


def _column(collection: str, path: str) -> str:
    return "id" if known_path(collection, path) == "_id" else f"json_extract(body, '$.{path}')"


def _schema() -> Iterator[str]:
    columns = "id TEXT PRIMARY KEY, rv INTEGER NOT NULL, body TEXT NOT NULL"
    for collection, indexes in INDEXES.items():
        yield f"CREATE TABLE IF NOT EXISTS {collection} ({columns})"
        for index in indexes:
            paths = ", ".join(_column(collection, path) for path in index)
            yield f"CREATE INDEX IF NOT EXISTS {collection}_{'_'.join(index)} ON {collection} ({paths})"


def _where(collection: str, conditions: Sequence[Condition]) -> tuple[str, list[str | int]]:
    if not conditions:
        return "", []
    # A range of keys is narrower than whatever else is asked; the plus keeps SQLite from any other index.
    plus = "+" if any(path == "_id" for path, _, _ in conditions) else ""
    tests = [
        f"{'' if path == '_id' else plus}{_column(collection, path)} {operator} ?" for path, operator, _ in conditions
    ]
    return "WHERE " + " AND ".join(tests), [condition.value for condition in conditions]


def _body(document: Document) -> str:
    content = {key: value for key, value in document.items() if key not in {"_id", "rv"}}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _document(row: tuple[str, int, str]) -> Document:
    key, rv, body = row
    content: dict[str, Any] = json.loads(body)
    return {"_id": key, "rv": rv, **content}
