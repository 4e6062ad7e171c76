"""The journal: every entry has its own number, whoever writes and whoever dies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from project.core.layout import JobPaths
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.journal import Journal, Superseded
from tests.contract.processes import poll
from tests.unit.wrapper.racing import let_go, race, start

_WRITE = """
import itertools
import os
from project.core.layout import JobPaths
from project.wrapper.clock import Clock
from project.wrapper.journal import Journal
journal = Journal("uuid", JobPaths(sys.argv[1]), Clock())
for number in range(int(sys.argv[2])) if len(sys.argv) > 2 else itertools.count():
    said = f"{number}of{os.getpid()}"
    journal.append("notice", {"message": said})
    print(said, flush=True)
"""


@pytest.fixture
def paths(tmp_path: Path) -> JobPaths:
    """A job's folder with what a journal needs."""
    for name in ("journal", "control"):
        (tmp_path / name).mkdir()
    return JobPaths(str(tmp_path))


def open_journal(paths: JobPaths, told: list[dict[str, Any]] | None = None) -> Journal:
    """A journal, as a process opens it."""
    return Journal("uuid", paths, Clock(), (told if told is not None else []).append)


def test_entries_are_numbered_and_read_by_others(paths: JobPaths) -> None:
    """From 1, without gaps; another process sees them, and the listener is told those of its own."""
    told: list[dict[str, Any]] = []
    writer, reader = open_journal(paths, told), open_journal(paths)
    for state in ("PENDING", "RUNNING"):
        writer.append("state", {"state": state})
    writer.append("notice", {"message": "x"})
    assert [entry["seq"] for entry in reader.entries()] == [1, 2, 3]
    assert reader.entries() == told == writer.entries()
    assert (reader.last_state(), told[0]["job_uuid"], told[0]["schema"]) == ("RUNNING", "uuid", 1)


def test_two_writers_never_share_a_number(paths: JobPaths) -> None:
    """Three processes write at once: all numbers are taken once, and each is whole on disk."""
    printed = race(_WRITE, paths.directory, "40", contestants=3)
    entries = open_journal(paths).entries()
    assert [entry["seq"] for entry in entries] == list(range(1, 121))
    assert sorted(entry["body"]["message"] for entry in entries) == sorted(" ".join(printed).split())


def test_a_writer_killed_in_between_leaves_no_gap(paths: JobPaths) -> None:
    """Killed with -9 at any moment: what was told is on disk, and the next writer goes on with the next number."""
    writer = start(_WRITE, paths.directory)
    with writer:
        let_go(writer)
        assert writer.stdout is not None
        poll(lambda: len(list(Path(paths.journal).glob("*.json"))) > 20, "some entries")
        writer.kill()
        told = writer.stdout.read().split()
    journal = open_journal(paths)
    seqs = [entry["seq"] for entry in journal.entries()]
    assert seqs == list(range(1, len(seqs) + 1))
    assert set(told) <= {entry["body"]["message"] for entry in journal.entries()}
    journal.append("state", {"state": "DONE"})
    assert open_journal(paths).entries()[-1]["seq"] == len(seqs) + 1


def test_what_the_registry_has_is_not_sent_again(paths: JobPaths) -> None:
    """The acknowledged number is there for the next process; whether it is news is said."""
    journal = open_journal(paths)
    for state in ("SUBMITTED", "PENDING", "RUNNING"):
        journal.append("state", {"state": state})
    assert len(list(journal.unsent())) == 3
    assert journal.acknowledge(2)
    assert not journal.acknowledge(2)
    assert [entry["seq"] for entry in open_journal(paths).unsent()] == [3]
    assert journal.acknowledge(3)
    assert not journal.has_unsent()


def test_what_the_registry_has_lost_is_sent_again(paths: JobPaths) -> None:
    """It was set up anew from an older copy; and what it has beyond our journal hides nothing that comes later."""
    journal = open_journal(paths)
    for state in ("SUBMITTED", "PENDING", "RUNNING"):
        journal.append("state", {"state": state})
    journal.acknowledge(99)
    journal.append("state", {"state": "COMPLETED"})
    assert [entry["seq"] for entry in journal.unsent()] == [4]
    assert journal.acknowledge(1)
    assert [entry["seq"] for entry in open_journal(paths).unsent()] == [2, 3, 4]


def test_what_is_done_again_is_not_told_again(paths: JobPaths) -> None:
    """The same entry, whoever wrote it: a process that does a dead one's work once more tells nothing twice."""
    first, second = open_journal(paths), open_journal(paths)
    for journal in (first, second, first):
        journal.append("state", {"state": "UPLOADED"})
        journal.append("fields", {"fields": {"slurm_job_id": "41"}})
    assert [entry["kind"] for entry in first.entries()] == ["state", "fields"]


def test_what_follows_from_the_last_entry_is_not_told_after_another(paths: JobPaths) -> None:
    """Two followers saw the job run again: one of them tells so; the other learns that it looked too early."""
    first, second = open_journal(paths), open_journal(paths)
    for state in ("RUNNING", "PENDING"):
        first.append("state", {"state": state})
    seen = len(second.entries())
    first.append_next(seen, "state", {"state": "RUNNING"})
    with pytest.raises(Superseded):
        second.append_next(seen, "state", {"state": "RUNNING"})
    assert [entry["body"]["state"] for entry in second.entries()] == ["RUNNING", "PENDING", "RUNNING"]


def test_before_the_first_entry(paths: JobPaths) -> None:
    """There is no state, and nothing to send."""
    journal = open_journal(paths)
    assert (journal.entries(), list(journal.unsent()), journal.last_state(), journal.acknowledged()) == (
        [],
        [],
        "",
        0,
    )


def test_an_entry_holds_any_text(paths: JobPaths) -> None:
    """Output of the user's programs need not be UTF-8, nor fit for a line."""
    body = {"detail": "\udcff\n\0é"}
    open_journal(paths).append("notice", body)
    assert open_journal(paths).entries()[0]["body"] == body
    json.dumps(open_journal(paths).entries())


def test_rows_of_tasks_are_read_when_they_are_sent(paths: JobPaths) -> None:
    """A campaign has thousands: they are sent whole, and not kept in mind; one that is gone from the disk is told."""
    journal = open_journal(paths)
    rows = [{"task": str(number), "State": "RUNNING"} for number in range(3)]
    journal.append_next(0, "tasks", {"slurm_job_id": "41", "rows": rows})
    journal.append("state", {"state": "RUNNING"})
    for one in (journal, open_journal(paths)):
        assert [entry["body"].get("rows", []) for entry in one.unsent()] == [rows, []]
        assert "slurm_job_id" not in repr(vars(one))
    Path(paths.journal, "000001.json").unlink()
    with pytest.raises(files.Damaged):
        list(journal.unsent())
