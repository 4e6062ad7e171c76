"""Accounts, tokens and the administrator's commands."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.contract.registry_process import PASSWORD, RegistryProcess, state

if TYPE_CHECKING:
    from pathlib import Path

_WRONG = ("ann", "wrong")


def test_a_password_buys_a_token(registry: RegistryProcess) -> None:
    """POST /tokens with name and password gives a token that works and says when it ends."""
    answer = registry.call("POST", "/tokens", user="", auth=("ann", PASSWORD))
    assert answer.status_code == 201
    assert answer.json()["expires_at"] > "2026"
    registry.tokens["fresh"] = answer.json()["token"]
    assert registry.call("GET", "/jobs", user="fresh").status_code == 200


def test_a_token_says_whose_it_is_and_can_be_given_back(registry: RegistryProcess) -> None:
    """GET /account tells name, address and role; after DELETE /tokens that token is worth nothing, others are."""
    issued = registry.call("POST", "/tokens", user="", auth=("bob", PASSWORD)).json()["token"]
    registry.tokens["leaving"] = issued
    expected = {"name": "bob", "mail": "bob@example.org", "admin": False}
    assert registry.call("GET", "/account", user="leaving").json() == expected
    assert registry.call("DELETE", "/tokens", user="leaving").status_code == 200
    assert registry.call("GET", "/account", user="leaving").status_code == 401
    assert registry.call("GET", "/account", user="bob").json() == expected
    assert registry.call("GET", "/account", user="").status_code == 401


def test_wrong_logins_are_told_apart_from_nothing(own_registry: RegistryProcess) -> None:
    """A wrong password, an unknown account and one without password are answered the same; guessing is slowed."""
    own_registry.command("user", "add", "tokenless", "--mail", "t@example.org")
    with own_registry.started() as registry:

        def login(name: str, password: str) -> int:
            return registry.call("POST", "/tokens", user="", auth=(name, password)).status_code

        assert [login(*_WRONG), login("nobody", "x"), login("tokenless", ""), login("tokenless", "x")] == [401] * 4
        assert [login(*_WRONG) for _ in range(4)] == [401] * 4
        refused = registry.call("POST", "/tokens", user="", auth=("ann", PASSWORD))
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 901
        assert registry.call("GET", "/jobs").status_code == 200
        assert registry.call("POST", "/tokens", user="").status_code == 401


def test_success_forgets_failures(registry: RegistryProcess) -> None:
    """Who knows the password in the end is not held against earlier mistakes."""
    for _ in range(3):
        for _ in range(4):
            registry.call("POST", "/tokens", user="", auth=("bob", "wrong"))
        assert registry.call("POST", "/tokens", user="", auth=("bob", PASSWORD)).status_code == 201


def test_tokens_expire_and_report_tokens_are_renewed_by_use(own_registry: RegistryProcess) -> None:
    """A token of zero days is refused at once; a report token in use gets a longer life."""
    with own_registry.started(GRIDFERRY_API_REPORT_TOKEN_DAYS="1", GRIDFERRY_API_TOKEN_DAYS="0") as registry:
        registry.tokens["late"] = registry.call("POST", "/tokens", user="", auth=("ann", PASSWORD)).json()["token"]
        assert registry.call("GET", "/jobs", user="late").status_code == 401
        job_uuid = registry.create_job()
        registry.tokens["reporter"] = registry.call("POST", "/report-tokens", {"cluster": "demo"}).json()["token"]
    with own_registry.started(GRIDFERRY_API_REPORT_TOKEN_DAYS="10") as registry:
        before = _expiries(registry.folder)
        assert registry.report(state(job_uuid, 1, "UPLOADED"), user="reporter").status_code == 200
        assert _expiries(registry.folder)[-1] > before[-1]


def _expiries(folder: Path) -> list[str]:
    """Return when report tokens expire, straight from the file."""
    with sqlite3.connect(folder / "registry.sqlite3") as database:
        bodies = [json.loads(body) for (body,) in database.execute("SELECT body FROM tokens")]
    database.close()
    return sorted(body["expires_at"] for body in bodies if body["scope"] == "report")


def test_nothing_that_opens_a_door_is_stored(own_registry: RegistryProcess) -> None:
    """Neither the password nor a token is found in the data directory, whose files are private."""
    with own_registry.started() as registry:
        registry.call("POST", "/report-tokens", {"cluster": "demo"})
        stored = b"".join(file.read_bytes() for file in registry.folder.glob("registry.sqlite3*"))
        assert PASSWORD.encode() not in stored
        assert registry.tokens["ann"].encode() not in stored
        assert b"argon2id" in stored
        for file in registry.folder.iterdir():
            assert file.name == "output" or file.stat().st_mode & 0o077 == 0, file


def test_a_report_token_says_where_to_report(own_registry: RegistryProcess) -> None:
    """The cluster's own address goes before the public one, that before the address of the request."""
    own_registry.add_user("root", admin=True)
    with own_registry.started(GRIDFERRY_API_PUBLIC_URL="https://public.example/") as registry:
        registry.put_cluster("inner", registry_url="http://10.0.0.1:7676/")
        urls = [
            registry.call("POST", "/report-tokens", {"cluster": name}).json()["url"] for name in ("demo", "inner")
        ]
        assert urls == ["https://public.example", "http://10.0.0.1:7676"]
        assert registry.call("POST", "/report-tokens", {"cluster": "nowhere"}).status_code == 404
        assert registry.call("POST", "/report-tokens", {}).status_code == 422


def test_only_administrators_change_clusters(registry: RegistryProcess) -> None:
    """A user may read clusters and report their status, nothing more."""
    document = {"hostname": "x.example.org"}
    assert registry.call("PUT", "/clusters/mine", document).status_code == 403
    assert registry.call("DELETE", "/clusters/demo").status_code == 403
    assert registry.call("PUT", "/clusters/mine", document, user="root").status_code == 201
    assert registry.call("PUT", "/clusters/mine", {"port": 2222}, user="root").json()["hostname"] == "x.example.org"
    assert registry.call("GET", "/clusters/mine").json()["port"] == 2222
    mine = registry.call("GET", "/clusters/mine").json()
    assert registry.call("PUT", "/clusters/mine", mine, user="root").json() == mine
    assert "mine" in [cluster["name"] for cluster in registry.call("GET", "/clusters").json()]
    bad = {"port": "22", "preferred_jobs": ["gpu"], "hostnam": "x"}
    answer = registry.call("PUT", "/clusters/mine", bad, user="root")
    assert {problem["key"] for problem in answer.json()["problems"]} == set(bad)
    assert registry.call("DELETE", "/clusters/mine", user="root").status_code == 204
    assert registry.call("GET", "/clusters/mine").status_code == 404
    assert registry.call("PUT", "/clusters", {"name": "mine", "status": {}}).status_code == 404


def test_the_commands_of_an_administrator(tmp_path: Path) -> None:
    """Accounts and clusters are made, listed, switched and removed from the command line, in front of any server."""
    registry = RegistryProcess(tmp_path)
    added = registry.command(
        "user", "add", "eve", "--mail", "eve@example.org", "--admin", "--password-stdin", stdin="pw\n"
    )
    another = registry.command("user", "token", "eve")
    assert len(added.stdout.splitlines()) == len(another.stdout.splitlines()) == 1
    assert added.stdout != another.stdout
    assert registry.command("user", "list").stdout == "eve\teve@example.org\tadmin\tpassword\n"
    file = tmp_path / "clusters.json"
    file.write_text(json.dumps([{"name": "a", "hostname": "a.example"}, {"name": "b", "hostname": "b.example"}]))
    assert registry.command("cluster", "add", str(file)).stdout == "a: added\nb: added\n"
    registry.command("cluster", "disable", "a")
    registry.command("cluster", "remove", "b")
    assert registry.command("cluster", "list").stdout == "a\ta.example:22\tdisabled\tno status yet\n"
    registry.command("user", "password", "eve", "--password-stdin", stdin="new\n")
    assert registry.command("user", "revoke", "eve").stdout == "tokens revoked: 2\n"


def test_commands_say_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    """Mistakes end with a message, a remedy and a code, never with a traceback."""
    registry = RegistryProcess(tmp_path)
    registry.command("user", "add", "eve", "--mail", "eve@example.org")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "registry.sqlite3").write_text("this is no database" * 100)
    mistakes = [
        (("user", "add", "eve", "--mail", "eve@example.org"), 8, "there is an account eve already"),
        (("user", "add", "e v", "--mail", "nobody"), 8, "(and 1 more)"),
        (("user", "token", "adam"), 8, "user list"),
        (("cluster", "disable", "nowhere"), 8, "Known clusters: none yet"),
        (("cluster", "add", "-"), 3, "JSON"),
        (("--data-dir", str(broken)), 8, "file is not a database"),
        (("--data-dir", "/dev/null/x"), 2, "/dev/null"),
        (("--tls-cert", "/nowhere.pem"), 2, "/nowhere.pem"),
        (("serve", "--port", "http"), 2, "GRIDFERRY_API_PORT is 'http'"),
    ]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda mistake: registry.command(*mistake[0], check=False), mistakes))
    for (_, code, said), result in zip(mistakes, results, strict=True):
        assert (result.returncode, said in result.stderr) == (code, True), result.stderr
        assert "Traceback" not in result.stderr
