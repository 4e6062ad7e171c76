"""The client's side of the REST API, against a registry that was broken into: any answer, and nothing breaks."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.adapters.registry import HttpRegistry
from project.core.cluster import DEFAULTS
from project.core.errors import GridferryError, RegistryError, RegistryUnavailable, UsageError
from project.core.slurm.commands import REPORTED_COLUMNS
from tests.contract.processes import free_port
from tests.fakes.raw_http import http, serving
from tests.fuzzing import examples

_UUID = "3f2b1c0e-0000-4000-8000-000000000000"
_AT = "2026-11-20T10:00:00.000000Z"
_CLUSTER = {**DEFAULTS, "name": "nic5", "hostname": "nic5.example.org", "status": None, "foretold": None}
_SUMMARY = {
    "job_uuid": _UUID,
    "owner": "ann",
    "cluster": "nic5",
    "state": "DONE",
    "reason": "",
    "outcome": "COMPLETED",
    "ended": True,
    "slurm_job_id": "47",
    "created_at": _AT,
    "updated_at": _AT,
    "job_name": None,
    "counts": {"COMPLETED": 1},
    "flag": "",
    "fetched_at": _AT,
    "cleaned_at": None,
    "resubmission_of": None,
    "campaign": {"uuid": _UUID, "indexes": "1-3,7"},
}
_EVENT = {"kind": "state", "at": _AT, "recorded_at": _AT, "body": {"state": "DONE"}}
_JOB: dict[str, Any] = {
    **_SUMMARY,
    "user_input": {},
    "destination_cluster": _CLUSTER,
    "modules": [],
    "job_status": {key: ["COMPLETED"] for key in REPORTED_COLUMNS},
    "last_seq": 7,
    "timeline": [_EVENT],
}
_CREDENTIALS = {"token": "gridferry_report_x", "expires_at": _AT, "url": "https://grid.example.org"}

Call = Callable[[HttpRegistry], Any]
_CALLS: dict[str, Call] = {
    "clusters": lambda registry: registry.clusters(),
    "job": lambda registry: registry.job(_UUID),
    "jobs": lambda registry: registry.jobs(state="DONE"),
    "jobs_beginning": lambda registry: registry.jobs_beginning(["3f2b"]),
    "history": lambda registry: registry.history(),
    "states": lambda registry: registry.states(_UUID),
    "report_credentials": lambda registry: registry.report_credentials("nic5"),
    "relay": lambda registry: registry.relay({}),
    "account": lambda registry: registry.account(),
}


def ask(call: Call, raw: bytes) -> Any:
    """Make one call of a registry that answers these bytes."""
    with serving(raw) as server:
        return call(HttpRegistry(server.url, "token"))


def ask_json(call: Call, answer: Any) -> Any:
    """Make one call of a registry that answers this JSON."""
    return ask(call, http("200 OK", json.dumps(answer).encode()))


def test_what_is_right_is_taken() -> None:
    """As docs/protocol.md has it, with keys of a newer registry."""
    assert ask_json(_CALLS["clusters"], [{**_CLUSTER, "new": 1}]) == [{**_CLUSTER, "new": 1}]
    assert ask_json(_CALLS["job"], {**_JOB, "new": 1}) == {**_JOB, "new": 1}
    assert ask_json(_CALLS["history"], [_JOB, {**_JOB, "outcome": "FAILED"}, {**_JOB, "outcome": None}]) == [_JOB]
    assert ask_json(_CALLS["jobs"], [_SUMMARY]) == ask_json(_CALLS["jobs_beginning"], [_SUMMARY]) == [_SUMMARY]
    assert ask_json(_CALLS["states"], ["RUNNING", "PENDING"]) == ["RUNNING", "PENDING"]
    assert ask_json(_CALLS["report_credentials"], _CREDENTIALS) == _CREDENTIALS
    account = {"name": "ann", "mail": "ann@example.org", "admin": False}
    assert ask_json(_CALLS["account"], account) == account
    taken = {"acknowledged": {_UUID: 1}, "refused": {}}
    assert ask_json(_CALLS["relay"], taken) == taken


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("clusters", {}),
        ("clusters", [1]),
        ("clusters", [{**_CLUSTER, "name": "../x"}]),
        ("clusters", [{**_CLUSTER, "foretold": {"jobs": 1}}]),
        ("clusters", [{**_CLUSTER, "status": {"taken_at": _AT, "nodes": [{"name": "n", "cpus": 5}]}}]),
        ("job", []),
        ("job", {}),
        ("job", {**_JOB, "job_uuid": "3f2b1c0e-0000-4000-8000-000000000001"}),
        ("job", {**_JOB, "job_uuid": f'{_UUID}"; id; "'}),
        ("job", {**_JOB, "destination_cluster": "nic5"}),
        ("job", {**_JOB, "timeline": [{**_EVENT, "body": None}]}),
        ("job", {**_JOB, "timeline": [7]}),
        ("job", {**_JOB, "job_status": {**_JOB["job_status"], "State": []}}),
        ("job", {**_JOB, "job_status": {"JobID": ["47"]}}),
        ("job", {**_JOB, "timeline": [{**_EVENT, "kind": "digest", "body": {"state": "COMPLETED"}}]}),
        ("jobs", [{**_SUMMARY, "campaign": {"uuid": _UUID, "indexes": "all of them"}}]),
        ("jobs", [{**_SUMMARY, "created_at": "yesterday"}]),
        ("jobs", [{**_SUMMARY, "counts": {"RUNNING": "many"}}]),
        ("jobs_beginning", [{**_SUMMARY, "job_uuid": "../x"}]),
        ("history", {}),
        ("history", [7]),
        ("report_credentials", {**_CREDENTIALS, "token": "x\ny"}),
        ("report_credentials", {"token": "x"}),
        ("relay", []),
        ("relay", {"acknowledged": []}),
        ("account", []),
        ("account", {"name": "ann", "mail": 7, "admin": False}),
    ],
)
def test_an_answer_that_is_none_is_refused(call: str, answer: Any) -> None:
    """Another job's document, lists where objects belong, words that would reach a shell: the registry is named."""
    with pytest.raises(RegistryError, match="does not answer as a registry"):
        ask_json(_CALLS[call], answer)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*_JOB, *_CLUSTER]) | st.text(), inner, max_size=6)
    ),
    max_leaves=20,
)


@examples(60)
@given(st.sampled_from(sorted(_CALLS)), _JSON | st.fixed_dictionaries(dict.fromkeys(_JOB, _JSON)))
def test_no_answer_breaks_the_client(call: str, answer: Any) -> None:
    """Whatever the registry says is either taken or an error of the tree."""
    with contextlib.suppress(GridferryError):
        ask_json(_CALLS[call], answer)


@examples(60)
@given(st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]), st.binary(max_size=200))
def test_no_bytes_break_the_client(begin: bytes, raw: bytes) -> None:
    """Neither does a server that speaks no HTTP, or half of it."""
    with contextlib.suppress(GridferryError):
        ask(_CALLS["job"], begin + raw)


@pytest.mark.parametrize(
    ("raw", "kind", "said"),
    [
        (http("302 Found\r\nLocation: https://elsewhere.example/", b""), RegistryError, "as a registry"),
        (http("401 Unauthorized", b'{"detail": "who are you"}'), RegistryError, "who are you"),
        (http("422 X", b'{"detail": "no", "problems": ["x", {"key": "a", "message": "m"}]}'), RegistryError, "no"),
        (http("500 Oops", b"<html>"), RegistryUnavailable, "answered 500"),
        (http("200 OK", b"{", length=100), RegistryUnavailable, "broke off"),
        (http("200 OK", b"[" * 100_000), RegistryError, "as a registry"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", RegistryUnavailable, "no HTTP"),
        (b"", RegistryUnavailable, "no HTTP"),
    ],
)
def test_refusals_and_silence_are_told_apart(raw: bytes, kind: type[GridferryError], said: str) -> None:
    """What may work later is transient; where the answer leads elsewhere nothing is sent there."""
    with pytest.raises(kind, match=said) as caught:
        ask(_CALLS["job"], raw)
    assert type(caught.value) is kind


def test_a_redirection_gets_no_token() -> None:
    """Neither the token nor the question goes to where the registry points."""
    with serving(http("200 OK", b"{}")) as elsewhere:
        redirect = http(f"307 Temporary Redirect\r\nLocation: {elsewhere.url}/jobs", b"")
        with pytest.raises(RegistryError) as caught:
            ask(_CALLS["job"], redirect)
        assert "GRIDFERRY_REGISTRY" in caught.value.remedy
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("http://grid.example.org", "token"),
        ("https://user:password@grid.example.org", "token"),
        ("file:///etc", "token"),
        ("https://grid.example.org", "two\nlines"),
        ("https://grid.example.org", ""),
    ],
)
def test_what_would_lose_the_token_is_refused_before_anything_is_sent(url: str, token: str) -> None:
    """Plain HTTP over the network, an address that is none, a token that would become another header."""
    with pytest.raises(UsageError) as caught:
        HttpRegistry(url, token)
    assert "two" not in str(caught.value)
    assert HttpRegistry("http://grid.example.org", "t", plain_http=True)


def test_nobody_there_is_unavailable() -> None:
    """It may work later, and the remedy names the setting."""
    with pytest.raises(RegistryUnavailable) as caught:
        HttpRegistry(f"http://127.0.0.1:{free_port()}", "t").clusters()
    assert "GRIDFERRY_REGISTRY" in caught.value.remedy
