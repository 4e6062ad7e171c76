"""Reporting to the registry over real HTTP: whatever comes back is an answer, a refusal or silence."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core.errors import RegistryError, RegistryUnavailable
from project.core.layout import ClusterPaths
from project.wrapper import files
from project.wrapper.follow.report import Answer, BatchRefused, Overtaken, Reporter
from tests.contract.processes import free_port, poll
from tests.contract.ssh.listeners import listener
from tests.fakes.raw_http import http, serving
from tests.fuzzing import examples

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.raw_http import Asked

_ENTRY = {"schema": 1, "job_uuid": "uuid", "seq": 1, "at": "t", "kind": "state", "body": {"state": "RUNNING"}}


@contextmanager
def registry(raw: bytes, paths: ClusterPaths) -> Iterator[list[Asked]]:
    """A server that answers each request with these bytes; yields the requests it gets."""
    with serving(raw) as server:
        leave_credentials(paths, server.server_address[1])
        yield server.asked


def leave_credentials(paths: ClusterPaths, port: int) -> None:
    """Write what the client leaves on the cluster."""
    document = {"cluster": "nic5", "url": f"http://127.0.0.1:{port}/", "token": "secret"}
    files.replace_json(paths.registry(""), document)


@pytest.fixture
def paths(tmp_path: Path) -> ClusterPaths:
    """Gridferry's folder on a cluster."""
    paths = ClusterPaths(str(tmp_path))
    files.make_folder(paths.control)
    return paths


def test_a_report_is_one_request_with_the_token(paths: ClusterPaths) -> None:
    """Entries and status in the shape of docs/protocol.md; the token is in the header only."""
    body = json.dumps({"schema": 1, "acknowledged": {"uuid": 1}, "refused": {"other": "no such job"}}).encode()
    with registry(http("200 OK", body), paths) as received:
        answer = Reporter(paths, "").send(3, [_ENTRY], {"taken_at": "t"})
    assert answer == Answer({"uuid": 1}, {"other": "no such job"})
    ((_, path, headers, body),) = received
    batch = json.loads(body)
    assert (path, headers["Authorization"], headers["Content-Type"]) == (
        "/reports",
        "Bearer secret",
        "application/json",
    )
    assert batch == {
        "schema": 1, "cluster": "nic5", "epoch": 3, "reports": [_ENTRY], "cluster_status": {"taken_at": "t"},
    }  # fmt: skip
    assert "secret" not in json.dumps(batch)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (http("409 Conflict", b'{"type": "stale-epoch", "epoch": 5}'), Overtaken),
        (http("400 Bad Request", b'{"detail": "NaN"}'), BatchRefused),
        (http("413 Request Entity Too Large", b"<html>"), BatchRefused),
        (http("422 Unprocessable Entity", b""), BatchRefused),
        (http("401 Unauthorized", b"{}"), RegistryError),
        (http("404 Not Found", b"{}"), RegistryError),
        (http("429 Too Many Requests", b"{}"), RegistryUnavailable),
        (http("500 Internal Server Error", b"oops"), RegistryUnavailable),
        (http("503 Service Unavailable", b""), RegistryUnavailable),
        (http("200 OK", b"<html>Please log in</html>"), RegistryUnavailable),
        (http("200 OK", b"[1, 2]"), RegistryUnavailable),
        (http("200 OK", b"5"), RegistryUnavailable),
        (http("200 OK", b"{}"), RegistryUnavailable),
        (http("200 OK", b'{"acknowledged": null, "refused": {}}'), RegistryUnavailable),
        (http("200 OK", b'{"acknowledged": {"uuid": "many"}, "refused": {}}'), RegistryUnavailable),
        (http("200 OK", b'{"acknowledged": {"uuid"', length=500), RegistryUnavailable),
        (http("200 OK", b'{"acknowledged": {"uuid": 1e999}, "refused": {}}'), RegistryUnavailable),
        (http("200 OK", b"[" * 100_000), RegistryUnavailable),
        (http("302 Found\r\nLocation: http://127.0.0.1:9/", b""), RegistryError),
        (http("200 OK", b"x" * 9_000_000), RegistryUnavailable),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 9_000_000, RegistryUnavailable),
        (b"SSH-2.0-OpenSSH_9.2\r\n", RegistryUnavailable),
        (b"", RegistryUnavailable),
    ],
)
def test_every_other_answer_is_one_of_three_errors(paths: ClusterPaths, raw: bytes, error: type[Exception]) -> None:
    """Overtaken, refused, or away for now: half an answer, a log-in page or another service included."""
    with registry(raw, paths), pytest.raises(error) as caught:
        Reporter(paths, "").send(1, [_ENTRY], None)
    assert type(caught.value) is error


def test_nobody_there_is_away_for_now(paths: ClusterPaths) -> None:
    """A refused connection may work later."""
    leave_credentials(paths, free_port())
    with pytest.raises(RegistryUnavailable, match="does not answer"):
        Reporter(paths, "").send(1, [_ENTRY], None)


def test_without_credentials_nothing_can_be_sent(paths: ClusterPaths) -> None:
    """The client leaves them with each contact."""
    with pytest.raises(RegistryError, match="no credentials"):
        Reporter(paths, "").send(1, [_ENTRY], None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ("Retry-After: 120", 120),
        ("Retry-After: 999999", 3600),
        ("Date: Fri, 20 Nov 2026 10:00:00 GMT\r\nRetry-After: Fri, 20 Nov 2026 10:02:00 GMT", 120),
        ("Date: Fri, 20 Nov 2026 10:00:00 GMT\r\nRetry-After: Fri, 20 Nov 2026 09:00:00 GMT", 0),
        ("Retry-After: soon", 0),
        ("Retry-After: \xb2", 0),
        ("Retry-After: nan", 0),
        ("Retry-After: -5", 0),
        ("Retry-After: Fri, 20 Nov 999999999999 10:00:00 GMT", 0),
        ("X-Other: 1", 0),
    ],
)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_how_long_to_wait_is_heard(paths: ClusterPaths, status: str, headers: str, seconds: float) -> None:
    """Seconds or a date by the registry's own clock; an hour at most."""
    raw = f"HTTP/1.0 {status}\r\n{headers}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    with registry(raw, paths), pytest.raises(RegistryUnavailable) as caught:
        Reporter(paths, "").send(1, [_ENTRY], None)
    assert caught.value.retry_after_s == seconds


def test_the_newer_epoch_is_heard(paths: ClusterPaths) -> None:
    """So that a follower whose own folder began anew can go above it."""
    answer = http("409 Conflict", b'{"type": "stale-epoch", "epoch": 57}')
    with registry(answer, paths), pytest.raises(Overtaken) as caught:
        Reporter(paths, "").send(1, [_ENTRY], None)
    assert caught.value.epoch == 57


def test_the_token_goes_to_nobody_else(paths: ClusterPaths) -> None:
    """A registry that sends us elsewhere is not obeyed, token or not."""
    with registry(http("405 Method Not Allowed", b""), paths) as received:
        elsewhere = files.read_json(paths.registry(""))["url"].replace("127.0.0.1", "localhost")
        moved = f"HTTP/1.0 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n".encode()
        with registry(moved, paths), pytest.raises(RegistryError):
            Reporter(paths, "").send(1, [_ENTRY], None)
    assert received == []


def test_no_proxy_gets_a_token_meant_for_this_machine(paths: ClusterPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the site's environment says of proxies does not count on the way to the loopback address."""
    proxy = ClusterPaths(paths.root + "-proxy")
    files.make_folder(proxy.control)
    good = http("200 OK", b'{"acknowledged": {}, "refused": {}}')
    with registry(good, proxy) as at_proxy, registry(good, paths) as received:
        monkeypatch.setenv("http_proxy", files.read_json(proxy.registry(""))["url"])
        Reporter(paths, "").send(1, [_ENTRY], None)
    assert (len(received), at_proxy) == (1, [])


@pytest.mark.parametrize(
    ("url", "plain_http", "said"),
    [
        ("http://registry.example.org", False, "not encrypted"),
        ("http://registry.example.org", "yes", "not encrypted"),
        ("file:///etc/hostname", True, "no address"),
        ("ftp://registry.example.org", True, "no address"),
        ("", True, "no credentials"),
    ],
)
def test_a_token_is_not_sent_unencrypted(paths: ClusterPaths, url: str, plain_http: Any, said: str) -> None:
    """Over HTTPS, to this machine, or where the client wrote down that the user said so."""
    files.replace_json(paths.registry(""), {"cluster": "nic5", "url": url, "token": "t", "plain_http": plain_http})
    with pytest.raises(RegistryError, match=said):
        Reporter(paths, "").send(1, [_ENTRY], None)


def test_a_token_that_breaks_http_is_not_told(paths: ClusterPaths) -> None:
    """The log of the follower is no place for it."""
    document = {"cluster": "nic5", "url": f"http://127.0.0.1:{free_port()}", "token": "secret\nX-Y: z"}
    files.replace_json(paths.registry(""), document)
    with pytest.raises(RegistryUnavailable) as caught:
        Reporter(paths, "").send(1, [_ENTRY], None)
    assert "secret" not in str(caught.value)


@examples(60)
@given(st.sampled_from(["200 OK", "409 X", "429 X", "422 X"]), st.binary(max_size=100), st.text(max_size=40))
def test_no_answer_ends_the_follower(status: str, body: bytes, said: str) -> None:
    """Whatever comes back: an answer, or one of the errors that the follower goes on after."""
    with tempfile.TemporaryDirectory() as folder:
        paths = ClusterPaths(folder)
        files.make_folder(paths.control)
        header = "".join(c for c in said if c not in "\r\n").encode("latin-1", "replace")
        raw = f"HTTP/1.0 {status}\r\nRetry-After: ".encode() + header + b"\r\n\r\n" + body
        with registry(raw, paths), contextlib.suppress(RegistryError, Overtaken):
            Reporter(paths, "").send(1, [_ENTRY], None)


def test_an_answer_that_does_not_end_is_left_behind(paths: ClusterPaths) -> None:
    """A byte now and then keeps no follower waiting; until that exchange has ended, no other is begun."""
    going_on = threading.Event()

    def trickle(connection: socket.socket) -> None:
        while not going_on.wait(0.05):
            connection.sendall(b"H")

    with listener(trickle) as port:
        leave_credentials(paths, port)
        reporter = Reporter(paths, "", limit_s=0.3)
        with pytest.raises(RegistryUnavailable, match="did not answer within"):
            reporter.send(1, [_ENTRY], None)
        with pytest.raises(RegistryUnavailable, match="not finished"):
            reporter.send(1, [_ENTRY], None)
        going_on.set()
        poll(lambda: not reporter._exchange or not reporter._exchange.is_alive(), "the exchange has ended")
    with registry(http("200 OK", b'{"acknowledged": {"uuid": 1}, "refused": {}}'), paths):
        assert reporter.send(1, [_ENTRY], None).acknowledged == {"uuid": 1}
