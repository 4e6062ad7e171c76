"""Who may do what: every endpoint with every kind of caller, and what a stolen token can and cannot do."""

from __future__ import annotations

import re
import sqlite3
import uuid
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
import requests

from api_srv import create_app
from api_srv.config import Settings
from api_srv.services.job_query import SHAPE
from tests.contract.registry_process import PASSWORD, RegistryProcess, entry, state

#: What a report token may call; everything else is for users alone.
_FOR_REPORTS = {
    ("PUT", "/clusters"),
    ("PUT", "/jobs/<job_uuid>/state"),
    ("PUT", "/jobs/<job_uuid>/notify"),
    ("POST", "/reports"),
}
#: What anybody may call, and what a password opens.
_OPEN = {("GET", "/health"), ("GET", "/openapi.json"), ("POST", "/tokens")}
_FOR_ADMINISTRATORS = {("PUT", "/clusters/<name>"), ("DELETE", "/clusters/<name>")}


class Endpoint(NamedTuple):
    """A method of a path of the REST API."""

    method: str
    rule: str

    def call(self, registry: RegistryProcess, job_uuid: str, **more: Any) -> requests.Response:
        """Call it about a job."""
        path = self.rule.replace("<job_uuid>", job_uuid).replace("<name>", "demo")
        words = {"cluster": "demo", "name": "demo", "state": "RUNNING", "message": "x", "reports": []}
        body = words if self.method != "GET" else None
        return registry.call(self.method, path, body, **more)


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> list[Endpoint]:
    """Every endpoint of the REST API, as the application itself knows them."""
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("app")))
    rules = [rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith(("pages.", "static"))]
    found = [
        Endpoint(method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    app.extensions["gridferry"].documents.close()
    return found


@pytest.fixture(scope="module")
def tokens(registry: RegistryProcess) -> dict[str, str]:
    """Tokens of every kind; those that must open nothing are not known to the registry, or have expired."""
    registry.put_cluster("elsewhere")
    report, of_another = (
        registry.call("POST", "/report-tokens", {"cluster": name}).json()["token"] for name in ("demo", "elsewhere")
    )
    expired = registry.call("POST", "/tokens", user="", auth=("ann", PASSWORD)).json()["token"]
    with sqlite3.connect(registry.folder / "registry.sqlite3") as database:
        change = "UPDATE tokens SET body = json_set(body, '$.expires_at', '2020-01-01T00:00:00.000000Z') WHERE id = ?"
        assert database.execute(change, (sha256(expired.encode()).hexdigest(),)).rowcount == 1
    database.close()
    registry.tokens |= {
        "report": report,
        "report of another": of_another,
        "expired": expired,
        "unknown": "gridferry_x",
    }
    return registry.tokens


@pytest.mark.usefixtures("tokens")
def test_nothing_is_open_to_strangers(registry: RegistryProcess, endpoints: list[Endpoint]) -> None:
    """Without a token, with one that is unknown, and with one that has expired: 401 everywhere but at the door."""
    job_uuid = registry.create_job()
    assert {(endpoint.method, endpoint.rule) for endpoint in endpoints} > _OPEN | _FOR_REPORTS | _FOR_ADMINISTRATORS
    for endpoint in endpoints:
        for caller in ("", "unknown", "expired"):
            if (endpoint.method, endpoint.rule) not in _OPEN:
                assert endpoint.call(registry, job_uuid, user=caller).status_code == 401, (endpoint, caller)


@pytest.mark.usefixtures("tokens")
def test_a_report_token_opens_four_endpoints(registry: RegistryProcess, endpoints: list[Endpoint]) -> None:
    """Everything else is forbidden, whatever is asked; and what it may call, only for its own cluster."""
    job_uuid = registry.create_job()
    for endpoint in endpoints:
        key = (endpoint.method, endpoint.rule)
        if key not in _OPEN:
            answer = endpoint.call(registry, job_uuid, user="report")
            assert (answer.status_code == 403) == (key not in _FOR_REPORTS), (endpoint, answer.text)
            of_another = endpoint.call(registry, job_uuid, user="report of another")
            assert of_another.status_code in {403, 404}, (endpoint, of_another.text)


def test_only_administrators_administer(registry: RegistryProcess, endpoints: list[Endpoint]) -> None:
    """A user's token is refused where clusters are changed, and nowhere else."""
    job_uuid = registry.create_job()
    for endpoint in endpoints:
        key = (endpoint.method, endpoint.rule)
        if key not in _OPEN | {("DELETE", "/tokens")}:
            refused = endpoint.call(registry, job_uuid).status_code == 403
            assert refused == (key in _FOR_ADMINISTRATORS), endpoint


def test_another_user_reaches_nothing(registry: RegistryProcess, endpoints: list[Endpoint]) -> None:
    """Whatever bob asks about ann's job: it is not there, and stays as it is."""
    job_uuid = registry.create_job()
    before = registry.job(job_uuid)
    for endpoint in endpoints:
        if "<job_uuid>" in endpoint.rule:
            answer = endpoint.call(registry, job_uuid, user="bob")
            assert answer.status_code in {404, 409, 422}, (endpoint, answer.text)
            assert "ann" not in answer.text
    answer = registry.report(state(job_uuid, 1, "RUNNING"), user="bob")
    assert answer.json()["refused"] == {job_uuid: "no such job"}
    registry.create_job(user="bob")
    assert len(registry.call("GET", f"/jobs?after={job_uuid}", user="bob").json()) > 0
    assert registry.job(job_uuid) == before


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize(
    ("way", "back"),
    [
        (["UPLOADED", "COMPILING"], ["UPLOADED", "CREATED", "PREPROCESSING"]),
        (["SUBMITTED", "RUNNING"], ["SUBMITTED", "COMPILING"]),
        (["RUNNING", "COMPLETED", "POSTPROCESSING"], ["RUNNING", "COMPLETED", "PENDING"]),
        (
            ["RUNNING", "COMPLETED", "POSTPROCESSING", "DONE"],
            ["RUNNING", "POSTPROCESSING", "ERROR", "CREATED", "DONE"],
        ),
        (["UPLOADED", "ERROR"], ["UPLOADED", "RUNNING", "DONE", "COMPLETED"]),
    ],
)
def test_a_stolen_report_token_turns_no_job_back(registry: RegistryProcess, way: list[str], back: list[str]) -> None:
    """Neither by reports, which are taken and change nothing, nor by PUT; and nobody is mailed about it."""
    job_uuid = registry.create_job(notify="none")
    registry.report(*(state(job_uuid, number, word) for number, word in enumerate(way, 1)), user="report")
    before = registry.job(job_uuid)
    answer = registry.report(*(state(job_uuid, len(way) + n, word) for n, word in enumerate(back, 1)), user="report")
    assert answer.json()["acknowledged"] == {job_uuid: len(way) + len(back)}
    after = registry.job(job_uuid)
    assert [after[key] for key in ("state", "outcome", "ended")] == [
        before[key] for key in ("state", "outcome", "ended")
    ]
    told = after["timeline"][len(before["timeline"]) :]
    assert [event["body"]["ignored"] for event in told] == [f"the job is {before['state']}"] * len(back)
    assert not [event for event in told if "mail" in event]
    for word in back:
        registry.call("PUT", f"/jobs/{job_uuid}/state", {"state": word}, user="report")
    assert registry.job(job_uuid)["state"] == before["state"]


@pytest.mark.usefixtures("tokens")
def test_a_stolen_report_token_ends_no_campaign(registry: RegistryProcess) -> None:
    """That a campaign has come to its end, which `wait` goes by, is the registry's to say: it takes no such entry."""
    job_uuid = registry.create_job()
    forged = entry(job_uuid, 1, "digest", state="COMPLETED", message="3 of 3 tasks ended well")
    answer = registry.report(forged, user="report").json()
    assert answer["acknowledged"] == {job_uuid: 0}
    assert "kind" in answer["refused"][job_uuid]
    assert [event["kind"] for event in registry.job(job_uuid)["timeline"]] == ["state"]


def test_a_job_that_is_over_takes_no_state(registry: RegistryProcess) -> None:
    """Not from its owner either: 409 says that it is final."""
    job_uuid = registry.create_job()
    registry.report(state(job_uuid, 1, "COMPLETED"), state(job_uuid, 2, "DONE"))
    answer = registry.call("PUT", f"/jobs/{job_uuid}/state", {"state": "RUNNING"})
    assert (answer.status_code, answer.json()["type"]) == (409, "conflict")


@pytest.mark.usefixtures("tokens")
def test_a_stolen_report_token_locks_no_follower_out(registry: RegistryProcess) -> None:
    """A follower's number that nobody could reach is not kept: the true follower reports as before."""
    registry.put_cluster("contested")
    for user in ("root", "ann"):
        assert registry.report(epoch=7, cluster="contested", user=user).status_code == 200
    assert registry.report(epoch=2**53, cluster="contested").status_code in {200, 422}
    assert registry.report(epoch=8, cluster="contested").status_code == 200


def test_strangers_say_nothing_about_a_cluster(registry: RegistryProcess) -> None:
    """Only administrators and those who have a job there: everybody sees it on the page."""
    registry.add_user("liar")
    registry.put_cluster("busy")
    status = {"taken_at": "2026-11-20T10:00:00.000000Z", "running_jobs": 0, "nodes": []}
    told = {"name": "busy", "status": status}
    assert registry.call("PUT", "/clusters", told, user="liar").status_code == 403
    assert registry.report(cluster="busy", cluster_status=status, user="liar").status_code == 200
    assert registry.call("GET", "/clusters/busy").json()["status"] is None
    body = {"user_input": {}, "destination_cluster": "busy"}
    assert registry.call("POST", f"/jobs/{uuid.uuid4()}", body, user="liar").status_code == 201
    assert registry.call("PUT", "/clusters", told, user="liar").status_code == 200


@pytest.mark.parametrize(
    "wanted",
    [
        "victim@elsewhere.example, x@example.org",
        "victim@elsewhere.example,x@example.org",
        "victim@elsewhere.example;x@example.org",
        "<victim@elsewhere.example>x@example.org",
        "victim@elsewhere.example (x@example.org",
        "x@example.org\nBcc: victim@elsewhere.example",
        "x@example.org\r\n\r\nwords",
        '"victim@elsewhere.example" x@example.org',
        "group: victim@elsewhere.example; x@example.org",
        "@example.org",
        "x@example.org\n",
    ],
)
def test_one_address_is_one_address(own_registry: RegistryProcess, wanted: str) -> None:
    """With a whole domain allowed, nothing that ends in it brings mail to anybody else: the registry is no relay."""
    with own_registry.started(GRIDFERRY_API_MAIL_DOMAINS="example.org") as registry:
        body = {"user_input": {"user_mail": wanted}, "destination_cluster": "demo"}
        assert registry.call("POST", f"/jobs/{uuid.uuid4()}", body).status_code == 422
        job_uuid = registry.create_job(user_mail="friend@example.org")
        fields = {"user_input": {"user_mail": wanted}}
        registry.report(entry(job_uuid, 1, "fields", fields=fields), state(job_uuid, 2, "RUNNING"))
        (mail,) = registry.wait_for_mails(1)
        assert mail["To"] == "ann@example.org"
        assert mail["Bcc"] is None


#: Parameters of a list of jobs that take any text; others take a time, a UUID or one of a few words.
_ANY_TEXT = ("cluster", "state", "label")


def test_words_stay_words_in_queries(registry: RegistryProcess) -> None:
    """Operators and quotes of query languages in every place that is searched by find nothing, and break nothing."""
    for odd in ("' OR '1'='1", '{"$ne": ""}', "$where", "x'; DROP TABLE jobs; --", "a\0b", "%", "*"):
        assert registry.call("GET", f"/jobs/{quote(odd, safe='')}").status_code == 404
        for key in _ANY_TEXT:
            answer = registry.call("GET", "/jobs", params={key: odd})
            assert (answer.status_code, answer.json() if odd != "*" else []) == (200, []), (key, odd)
        for key in ("uuid", *sorted(set(SHAPE).difference(_ANY_TEXT))):
            assert registry.call("GET", "/jobs", params={key: odd}).status_code == 422, (key, odd)
        for key in ("cluster[$ne]", "owner", "owner[$gt]"):
            assert {job["owner"] for job in registry.call("GET", "/jobs", params={key: odd}).json()} <= {"ann"}
        assert registry.call("POST", "/tokens", user="", auth=(odd.encode(), b"x")).status_code == 401
    assert registry.call("GET", "/jobs").status_code == 200


_GUARDS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.parametrize("path", ["/", "/static/style.css", "/health", "/jobs", "/nothing", "/ui/jobs/x"])
def test_every_answer_is_guarded(registry: RegistryProcess, path: str) -> None:
    """Pages, data, errors and files alike: no scripts, no frames, no guessing of types, nothing for other sites."""
    answer = requests.get(registry.url + path, timeout=30, allow_redirects=False)
    for header, begins in _GUARDS.items():
        assert answer.headers[header].startswith(begins), (path, header)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert path.startswith("/static") or answer.headers["Cache-Control"] == "no-store"


def test_a_session_is_not_given_before_and_opens_no_data(own_registry: RegistryProcess) -> None:
    """The cookie of a login is another than before it, travels over HTTPS only, and is nothing to the REST API."""
    with own_registry.started(GRIDFERRY_API_PUBLIC_URL="https://grid.example.org") as registry:
        first = requests.get(registry.url, timeout=30)
        token = re.search(r'name="form_token" value="([^"]+)"', first.text)
        assert token
        cookie = first.cookies["gridferry"]
        fields = {"form_token": token.group(1), "name": "ann", "password": PASSWORD}
        # over the loopback address the Secure cookie has to be brought along by hand
        headers = {"Cookie": f"gridferry={cookie}"}
        done = requests.post(f"{registry.url}/login", fields, headers=headers, timeout=30, allow_redirects=False)
        assert done.status_code == 303
        given = done.headers["Set-Cookie"]
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {part.strip() for part in given.split(";")}
        assert done.headers["Strict-Transport-Security"]
        session = done.cookies["gridferry"]
        assert session != cookie
        for path in ("/jobs", "/clusters", "/account"):
            answer = requests.get(registry.url + path, headers={"Cookie": f"gridferry={session}"}, timeout=30)
            assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize("sent", ["", "é", "\x00", "x" * 9000])
def test_a_form_that_is_not_ours_is_refused(registry: RegistryProcess, path: str, sent: str) -> None:
    """Whatever another site lets a browser send: it is no mistake of the registry's, and it changes nothing."""
    with requests.Session() as browser:
        token = re.search(r'name="form_token" value="([^"]+)"', browser.get(registry.url, timeout=30).text)
        assert token
        for forged in (sent, f"{token.group(1)}{sent}x"):
            fields = {"form_token": forged, "name": "ann", "password": PASSWORD}
            answer = browser.post(registry.url + path, fields, timeout=30, allow_redirects=False)
            assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
