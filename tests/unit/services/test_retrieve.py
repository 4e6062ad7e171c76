"""Fetching results: what the cluster still has to tell first, then the manifest, then every file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from project.core.errors import (
    GridferryError,
    NotEnded,
    RegistryUnavailable,
    StageFailed,
    TransferFailed,
    Unreachable,
    UsageError,
)
from project.services.logins import LoginChoice
from tests.unit.services.fetching import CREDENTIALS, ENDED, ENTRY, RUNNING, Fetch, described
from tests.unit.services.ports import (
    CLUSTER,
    FakeCluster,
    FakeRegistry,
    Person,
)


def test_every_output_comes_back(tmp_path: Path) -> None:
    """Into its place, what could be run still can, and what is missing is told; the connection is closed."""
    fetch = Fetch(FakeRegistry(ENDED), "a.txt", "deep/run.sh", missing=("b.txt",))
    found = fetch.run(tmp_path / "results")
    assert (found.outcome, found.files, found.missing) == ("COMPLETED", ["a.txt", "deep/run.sh"], ["b.txt"])
    assert (tmp_path / "results" / "a.txt").read_text() == "a.txt"
    assert os.access(tmp_path / "results" / "deep" / "run.sh", os.X_OK)
    assert not os.access(tmp_path / "results" / "a.txt", os.X_OK)
    assert fetch.cluster.closed >= 1


def test_what_the_cluster_could_not_report_is_brought_along(tmp_path: Path) -> None:
    """The registry knows of no end because nothing got through: the journal tells it, and the results come."""
    fetch = Fetch(FakeRegistry(RUNNING, ENDED), "a.txt")
    fetch.cluster.events["journal"] = [{"event": "journal", "entries": [ENTRY]}]
    assert fetch.run(tmp_path).files == ["a.txt"]
    assert fetch.registry.relayed == [
        {"schema": 1, "cluster": "nic5", "epoch": None, "reports": [ENTRY], "cluster_status": None}
    ]
    assert "relayed 1 reports that nic5 had not been able to send" in fetch.view.said
    assert CREDENTIALS in fetch.cluster.uploads, "perhaps it was the token that was not good any more"


def test_a_registry_that_does_not_take_them_keeps_nobody_from_the_results(tmp_path: Path) -> None:
    """It is said, and that is all."""
    fetch = Fetch(FakeRegistry(ENDED), "a.txt")
    fetch.cluster.events["journal"] = [{"event": "journal", "entries": [ENTRY]}]
    fetch.registry.relay_error = RegistryUnavailable("the registry is away")
    assert fetch.run(tmp_path).files == ["a.txt"]
    assert "could not be relayed: the registry is away" in fetch.view.said[0]


@pytest.mark.parametrize(
    ("tasks", "message"),
    [([], "has not ended: RUNNING"), (["RUNNING", "COMPLETED", "RUNNING"], r"RUNNING \(2 RUNNING, 1 COMPLETED\)")],
)
def test_a_job_that_runs_has_nothing_to_fetch(tmp_path: Path, tasks: list[str], message: str) -> None:
    """How it stands is told, tasks counted; nothing is made here."""
    fetch = Fetch(FakeRegistry(RUNNING), "a.txt")
    fetch.registry.task_states = tasks
    with pytest.raises(NotEnded, match=message):
        fetch.run(tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_cluster_that_is_away_is_no_news_about_a_job_that_runs(tmp_path: Path) -> None:
    """What matters is that it has not ended; of one that has, that its results are out of reach."""

    class Away(FakeCluster):
        """A cluster that does not answer."""

        def connect(self, login: object) -> FakeCluster:
            raise Unreachable(f"no answer from {login}")

    for answer, error in ((RUNNING, NotEnded), (ENDED, Unreachable)):
        fetch = Fetch(FakeRegistry(answer))
        fetch.cluster = Away()
        with pytest.raises(error):
            fetch.run(tmp_path)


def test_one_file_that_fails_does_not_keep_the_others(tmp_path: Path) -> None:
    """All others are there; the error names those that are not."""
    fetch = Fetch(FakeRegistry(ENDED), "a.txt", "b.txt", "c.txt")
    del fetch.cluster.files["/there/b.txt"]
    with pytest.raises(TransferFailed, match="1 of 3 files did not arrive") as caught:
        fetch.run(tmp_path)
    assert caught.value.detail.startswith("b.txt: ")
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["a.txt", "c.txt"]


def test_what_the_registry_has_heard_meanwhile_is_not_relayed(tmp_path: Path) -> None:
    """Only what is news to it is brought along."""
    heard = {**ENTRY, "seq": 2}
    fetch = Fetch(FakeRegistry({**ENDED, "last_seq": 2}), "a.txt")
    fetch.cluster.events["journal"] = [{"event": "journal", "entries": [heard]}]
    fetch.run(tmp_path)
    assert (fetch.registry.relayed, fetch.view.said) == ([], [])
    assert CREDENTIALS not in fetch.cluster.uploads


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "", ".", "nul\0"])
def test_a_cluster_cannot_write_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    """Whatever names it lists."""
    fetch = Fetch(FakeRegistry(ENDED), name, "a.txt")
    with pytest.raises(TransferFailed, match="1 of 2 files") as caught:
        fetch.run(tmp_path / "results")
    assert "outside of the job" in caught.value.detail
    assert {path.name for path in tmp_path.iterdir()} == {"results"}
    assert not Path("/etc/evil").exists()


def test_a_name_no_file_here_can_have_is_told(tmp_path: Path) -> None:
    """Half of a surrogate pair stands for no byte; the other files come."""
    fetch = Fetch(FakeRegistry(ENDED), "a.txt")
    (event,) = fetch.cluster.events["manifest"]
    assert isinstance(event, dict)
    event["manifest"]["files"].append({**described("b", b"x"), "name": "\ud800"})
    with pytest.raises(TransferFailed, match="1 of 2 files"):
        fetch.run(tmp_path)
    assert [path.name for path in tmp_path.glob("[!.]*")] == ["a.txt"]


def test_a_cluster_cannot_write_through_a_link_here(tmp_path: Path) -> None:
    """Results may go to a folder with other things in it: a link there is no way to where it leads."""
    precious, results = tmp_path / "precious", tmp_path / "results"
    precious.mkdir()
    results.mkdir()
    (results / "link").symlink_to(precious)
    fetch = Fetch(FakeRegistry(ENDED), "link/authorized_keys", "link/deep/er", "a.txt")
    with pytest.raises(TransferFailed, match="2 of 3 files") as caught:
        fetch.run(results)
    assert "is a link out of" in caught.value.detail
    assert list(precious.iterdir()) == []


def test_a_cluster_speaks_for_the_job_it_was_asked_about_alone(tmp_path: Path) -> None:
    """Entries about other jobs are not sent on under the user's own token."""
    fetch = Fetch(FakeRegistry(ENDED), "a.txt")
    other = {**ENTRY, "job_uuid": "3f2b1c0e-0000-4000-8000-00000000000f"}
    fetch.cluster.events["journal"] = [{"event": "journal", "entries": [other, ENTRY, other]}]
    fetch.run(tmp_path)
    assert [batch["reports"] for batch in fetch.registry.relayed] == [[ENTRY]]


@pytest.mark.parametrize(
    ("events", "error", "message"),
    [
        ([], TransferFailed, "nic5 did not list the job's outputs"),
        ([StageFailed("x")], StageFailed, "x"),
        (
            [{"event": "error", "type": "TransferFailed", "message": "it is gone", "remedy": "", "detail": ""}],
            TransferFailed, "it is gone",
        ),
        (
            [{"event": "error", "type": "OfTheFuture", "message": "odd", "remedy": "", "detail": ""}],
            GridferryError, "odd",
        ),
    ],
)  # fmt: skip
def test_a_wrapper_that_fails_is_told(
    tmp_path: Path, events: list[Any], error: type[Exception], message: str
) -> None:
    """Its own error if it gave one; a crash is no empty list of results."""
    fetch = Fetch(FakeRegistry(ENDED))
    fetch.cluster.events["manifest"] = events
    with pytest.raises(error, match=message) as caught:
        fetch.run(tmp_path)
    assert type(caught.value) is error


def test_the_recorded_key_is_used_and_asked_for_where_it_is_gone(tmp_path: Path) -> None:
    """Keys move; an answer that is no file either is asked about again."""
    key = tmp_path / "id"
    key.touch()
    fetch = Fetch(FakeRegistry(ENDED))
    fetch.records.record = {"private_key": str(tmp_path / "gone")}
    fetch.person = Person(str(tmp_path / "wrong"), str(key))
    fetch.run(tmp_path)
    assert fetch.cluster.logins[-1].private_key == key
    assert len(fetch.person.asked) == 2
    fetch.records.record = {"private_key": str(key)}
    fetch.run(tmp_path)
    assert len(fetch.person.asked) == 2


def test_what_is_given_with_the_call_goes_first(tmp_path: Path) -> None:
    """Account and key; and the user's settings for the cluster before both."""
    key = tmp_path / "id"
    key.touch()
    fetch = Fetch(FakeRegistry(ENDED))
    fetch.run(tmp_path, username="other", private_key=str(key), passphrase=None)
    assert (fetch.cluster.logins[0].username, fetch.cluster.logins[0].private_key) == ("other", key)
    fetch.logins = LoginChoice({"nic5": {"username": "mine", "port": 2222}}, timeout_s=3.0)
    fetch.run(tmp_path)
    login = fetch.cluster.logins[-1]
    assert (login.username, login.port, login.timeout_s, login.host) == ("mine", 2222, 3.0, CLUSTER["hostname"])


def test_a_port_that_is_none_is_told(tmp_path: Path) -> None:
    """With what to correct."""
    fetch = Fetch(FakeRegistry(ENDED))
    fetch.logins = LoginChoice({"nic5": {"port": "ssh"}})
    with pytest.raises(UsageError, match="'ssh' is no SSH port"):
        fetch.run(tmp_path)
