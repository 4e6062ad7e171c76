"""Many threads and many processes at one database: nothing is won twice, nothing is lost."""

from __future__ import annotations

import multiprocessing
import secrets
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from api_srv.dao.documents import open_documents, update
from api_srv.dao.outbox import DUE, SENT, Outbox
from api_srv.dao.sqlite import SqliteDocuments

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_srv.dao.ports import Document, Documents

_THREADS, _PROCESSES, _MAILS, _STEPS = 8, 4, 40, 8
_BEFORE, _NOW, _LATER = ("2026-01-01", "2026-01-02", "2026-01-03")


def _queue_mails(documents: Documents) -> None:
    for number in range(_MAILS):
        mail = {"mail_state": DUE, "mail_due_at": _BEFORE, "mail_attempts": 0, "mail_sent_at": ""}
        documents.insert("events", {"_id": f"j:{number:03d}", "owner": "ann", "job_uuid": "j", **mail})


def _claim_all(documents: Documents) -> list[str]:
    """Claim and settle until nothing is due; return what was won."""
    outbox, won = Outbox(documents), []
    while due := outbox.due(_NOW, 5):
        for event in due:
            claimed = outbox.claim(event, _LATER, secrets.token_hex(8))
            if claimed is not None:
                won.append(claimed["_id"])
                outbox.settle(claimed, SENT, _NOW)
    return won


def _claim_in_process(store_url: str) -> list[str]:
    documents = open_documents(store_url, Path("/"))
    try:
        return _claim_all(documents)
    finally:
        documents.close()


def _count_in_process(store_url: str) -> None:
    documents = open_documents(store_url, Path("/"))
    try:
        _count(documents)
    finally:
        documents.close()


def _count(documents: Documents) -> None:
    def grow(job: Document) -> bool:
        job["n"] += 1
        return True

    for _ in range(_STEPS):
        update(documents, "jobs", "j", grow)


def _assert_each_once(won: list[str], documents: Documents) -> None:
    assert Counter(won) == {f"j:{number:03d}": 1 for number in range(_MAILS)}
    assert Outbox(documents).count_due() == 0
    assert Outbox(documents).sent_since("ann", _BEFORE) == _MAILS


def test_threads_claim_each_mail_once(documents: Documents) -> None:
    """Eight relays in one process share the mails without sending one twice."""
    _queue_mails(documents)
    with ThreadPoolExecutor(_THREADS) as pool:
        won = [key for keys in pool.map(_claim_all, [documents] * _THREADS) for key in keys]
    _assert_each_once(won, documents)


def test_processes_claim_each_mail_once(store_url: str, open_store: Callable[[], Documents]) -> None:
    """Four relays in four processes do, too."""
    documents = open_store()
    _queue_mails(documents)
    with ProcessPoolExecutor(_PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        won = [key for keys in pool.map(_claim_in_process, [store_url] * _PROCESSES) for key in keys]
    _assert_each_once(won, documents)


def test_no_change_is_lost_between_processes(store_url: str, open_store: Callable[[], Documents]) -> None:
    """Four processes that count in one document reach the sum: each conflict is noticed and tried again."""
    documents = open_store()
    documents.insert("jobs", {"_id": "j", "n": 0})
    with ProcessPoolExecutor(_PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_count_in_process, [store_url] * _PROCESSES))
    job = documents.get("jobs", "j")
    assert job is not None
    assert job["n"] == _PROCESSES * _STEPS
    assert job["rv"] == 1 + _PROCESSES * _STEPS


def test_threads_insert_one_document_once(documents: Documents) -> None:
    """Of eight who insert the same key at once exactly one is told that it was new."""
    with ThreadPoolExecutor(_THREADS) as pool:
        news = list(pool.map(lambda n: documents.insert("jobs", {"_id": "j", "by": n}), range(_THREADS)))
    assert news.count(True) == 1
    job = documents.get("jobs", "j")
    assert job is not None
    assert news[job["by"]]


def test_a_connection_is_not_carried_over_fork(tmp_path: Path) -> None:
    """A child that inherits an open SQLite file opens its own, and the parent's goes on working."""
    documents = SqliteDocuments(tmp_path / "store.sqlite3")
    documents.insert("jobs", {"_id": "parent"})
    child = multiprocessing.get_context("fork").Process(target=_insert_child, args=(documents,))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert documents.insert("jobs", {"_id": "parent again"})
    assert [job["_id"] for job in documents.find("jobs")] == ["child", "parent", "parent again"]
    documents.close()


def _insert_child(documents: SqliteDocuments) -> None:
    documents.insert("jobs", {"_id": "child"})
    documents.close()
