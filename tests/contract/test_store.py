"""What a database must do for the registry; the same for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api_srv.dao.documents import update
from api_srv.dao.ports import Condition
from api_srv.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_srv.dao.ports import Document, Documents


def _task(key: str, seq: int, word: str = "RUNNING") -> Document:
    return {"_id": key, "job_uuid": "j", "sort": f"{seq:09d}", "seq": seq, "row": word}


def test_a_document_comes_back_as_it_was_stored(documents: Documents) -> None:
    """Text of any alphabet, numbers, flags, null, lists and nested objects survive, and rv starts at 1."""
    content = {
        "text": 'żółw "quoted" \n 日本 🐢',
        "big": 2**53,
        "flag": True,
        "none": None,
        "list": [1, "a", {"b": []}],
    }
    assert documents.insert("jobs", {"_id": "j", **content})
    assert documents.get("jobs", "j") == {"_id": "j", "rv": 1, **content}


def test_what_is_not_there_is_none(documents: Documents) -> None:
    """An unknown key is no error."""
    assert documents.get("jobs", "nobody") is None
    assert not documents.delete("jobs", "nobody")


def test_a_taken_key_is_refused_and_nothing_changes(documents: Documents) -> None:
    """A second insert under one key says no and leaves the first as it is."""
    assert documents.insert("jobs", {"_id": "j", "owner": "ann"})
    assert not documents.insert("jobs", {"_id": "j", "owner": "bob"})
    assert documents.get("jobs", "j") == {"_id": "j", "rv": 1, "owner": "ann"}


def test_collections_are_apart(documents: Documents) -> None:
    """The same key in two collections is two documents."""
    assert documents.insert("jobs", {"_id": "x"})
    assert documents.insert("tasks", {"_id": "x"})
    assert documents.delete("jobs", "x")
    assert documents.get("tasks", "x") is not None


def test_only_the_revision_that_was_read_is_replaced(documents: Documents) -> None:
    """Of two who read the same revision one wins, the other is told."""
    documents.insert("jobs", {"_id": "j", "owner": "ann"})
    first = documents.get("jobs", "j")
    second = documents.get("jobs", "j")
    assert first is not None
    assert second is not None
    assert documents.replace("jobs", {**first, "state": "RUNNING"})
    assert not documents.replace("jobs", {**second, "state": "PENDING"})
    assert documents.get("jobs", "j") == {"_id": "j", "rv": 2, "owner": "ann", "state": "RUNNING"}


def test_replacing_what_is_gone_creates_nothing(documents: Documents) -> None:
    """A document removed meanwhile stays removed."""
    documents.insert("jobs", {"_id": "j"})
    documents.delete("jobs", "j")
    assert not documents.replace("jobs", {"_id": "j", "rv": 1})
    assert documents.get("jobs", "j") is None


def test_a_replaced_document_loses_keys_that_were_left_out(documents: Documents) -> None:
    """Replacing is of the whole document, no merge."""
    documents.insert("jobs", {"_id": "j", "old": 1})
    documents.replace("jobs", {"_id": "j", "rv": 1, "new": 2})
    assert documents.get("jobs", "j") == {"_id": "j", "rv": 2, "new": 2}


def test_find_matches_every_condition_and_sorts(documents: Documents) -> None:
    """Conditions are joined by "and"; the order is by the path, either way."""
    for number, (owner, sort) in enumerate([("ann", "b"), ("bob", "a"), ("ann", "a"), ("ann", "c")]):
        documents.insert("jobs", {"_id": f"j{number}", "owner": owner, "sort": sort})
    ann = Condition("owner", "=", "ann")

    def keys(*conditions: Condition, **how: Any) -> list[str]:
        return [document["_id"] for document in documents.find("jobs", *conditions, **how)]

    assert keys() == ["j0", "j1", "j2", "j3"]
    assert keys(ann, order="sort") == ["j2", "j0", "j3"]
    assert keys(ann, order="sort", descending=True, limit=2) == ["j3", "j0"]
    assert keys(ann, Condition("sort", "<", "c"), order="sort", descending=True) == ["j0", "j2"]
    assert keys(Condition("sort", ">", "a"), Condition("sort", "<=", "b")) == ["j0"]
    assert keys(Condition("sort", ">=", "b"), Condition("_id", "<", "j3")) == ["j0"]
    assert keys(ann, limit=0) == []
    assert documents.count("jobs", ann) == 3


def test_flags_are_conditions_too(documents: Documents) -> None:
    """True finds true only, false finds false only."""
    for key, ended in (("j1", True), ("j2", False)):
        documents.insert("jobs", {"_id": key, "ended": ended})
    for ended, key in ((True, "j1"), (False, "j2")):
        assert [job["_id"] for job in documents.find("jobs", Condition("ended", "=", ended))] == [key]


def test_keep_newest_never_goes_back(documents: Documents) -> None:
    """Of several rows for one task the one with the highest number stays, whatever the order they come in."""
    documents.keep_newest("tasks", [_task("j:1", 5, "RUNNING"), _task("j:2", 5, "PENDING")])
    documents.keep_newest("tasks", [_task("j:1", 4, "PENDING"), _task("j:2", 6, "RUNNING"), _task("j:3", 1)])
    documents.keep_newest("tasks", [])
    assert {task["_id"]: (task["seq"], task["row"]) for task in documents.find("tasks")} == {
        "j:1": (5, "RUNNING"),
        "j:2": (6, "RUNNING"),
        "j:3": (1, "RUNNING"),
    }


def test_keep_newest_repeats_harmlessly(documents: Documents) -> None:
    """The same rows again change nothing; 2,000 of them are one call."""
    rows = [_task(f"j:{number:04d}", 7) for number in range(2000)]
    documents.keep_newest("tasks", rows)
    documents.keep_newest("tasks", rows)
    assert documents.count("tasks") == 2000


@pytest.mark.parametrize("path", ["state'", "user_input", "$where", "mail_state; DROP TABLE jobs"])
def test_undeclared_paths_are_refused(documents: Documents, path: str) -> None:
    """No field name reaches the database but those the schema declares."""
    with pytest.raises(KeyError):
        documents.find("jobs", Condition(path, "=", "x"))
    with pytest.raises(KeyError):
        documents.find("jobs", order=path)


def test_values_are_values_whatever_they_look_like(documents: Documents) -> None:
    """Quotes, operators and dollar signs in values are just text."""
    hostile = "x' OR '1'='1"
    documents.insert("jobs", {"_id": hostile, "owner": "$ne", "sort": '{"$gt": ""}'})
    documents.insert("jobs", {"_id": "other", "owner": "ann", "sort": "s"})
    assert documents.get("jobs", hostile) is not None
    assert documents.count("jobs", Condition("owner", "=", "$ne")) == 1
    assert documents.count("jobs", Condition("sort", "=", '{"$gt": ""}')) == 1
    assert documents.delete("jobs", hostile)


def test_update_changes_and_reports_the_new_revision(documents: Documents) -> None:
    """The loop around compare-and-set returns what is stored now; a change that declines stores nothing."""
    documents.insert("jobs", {"_id": "j", "n": 1})

    def grow(job: Document) -> bool:
        job["n"] += 1
        return bool(job["n"] < 3)

    assert update(documents, "jobs", "j", grow) == {"_id": "j", "rv": 2, "n": 2}
    assert update(documents, "jobs", "j", grow) == {"_id": "j", "rv": 2, "n": 3}
    assert documents.get("jobs", "j") == {"_id": "j", "rv": 2, "n": 2}
    assert update(documents, "jobs", "nobody", grow) is None


def test_what_one_stored_another_sees(open_store: Callable[[], Documents]) -> None:
    """Two openings of one database see the same documents at once."""
    one, other = open_store(), open_store()
    one.insert("jobs", {"_id": "j"})
    assert other.get("jobs", "j") is not None
    other.ping()


def test_update_gives_up_when_others_always_win(documents: Documents) -> None:
    """An update that never gets its turn is a database that cannot be used now, not an endless loop."""
    documents.insert("jobs", {"_id": "j", "n": 0})

    def overtaken(job: Document) -> bool:
        documents.replace("jobs", dict(job))
        return True

    with pytest.raises(StoreUnavailable):
        update(documents, "jobs", "j", overtaken)
