"""The server as a whole: health, a database that goes away, pages, proxies, several workers."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

from tests.contract import processes
from tests.contract.mail_server import MailServer
from tests.contract.processes import poll
from tests.contract.registry_process import PASSWORD, RegistryProcess, entry, state

if TYPE_CHECKING:
    from pathlib import Path

_HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_health_says_what_it_stands_on(registry: RegistryProcess) -> None:
    """Anyone may ask; the store and the way of mail are named, at start too."""
    answer = registry.call("GET", "/health", user="")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["store"], answer.json()["mail"]["kind"]) == (
        "ok",
        "sqlite",
        "folder",
    )
    assert "store: SQLite" in registry.output()
    assert ".eml files in" in registry.output()


def test_a_database_that_is_away_is_503(tmp_path: Path) -> None:
    """The registry starts without its MongoDB, answers 503 with Retry-After meanwhile, and prints no traceback."""
    url = f"mongodb://127.0.0.1:{processes.free_port()}/gridferry?serverSelectionTimeoutMS=200"
    registry = RegistryProcess(tmp_path, GRIDFERRY_STORE_URL=url)
    registry.tokens["ann"] = "x"
    with registry.started():
        for path in ("/health", "/jobs", "/"):
            answer = registry.call("GET", path)
            assert (answer.status_code, path) == (200 if path == "/" else 503, path)
        answer = registry.call("GET", "/jobs")
        assert answer.json()["type"] == "store-unavailable"
        assert int(answer.headers["Retry-After"]) > 0
    assert "Traceback" not in registry.output()


def test_the_whole_registry_runs_over_mongodb_s_wire(wire_server: str, tmp_path: Path) -> None:
    """Accounts, jobs, reports and mail work the same over a MongoDB address."""
    url = f"{wire_server}/whole_{uuid.uuid4().hex[:8]}"
    registry = RegistryProcess(tmp_path, GRIDFERRY_STORE_URL=url)
    registry.furnish()
    with registry.started():
        assert registry.call("GET", "/health").json()["store"] == "mongodb"
        job_uuid = registry.create_job(odd={"a.b": {"$x": 1}})
        rows = [{"task": str(n), "State": "RUNNING"} for n in range(12)]
        registry.report(entry(job_uuid, 1, "tasks", slurm_job_id="47", rows=rows), state(job_uuid, 2, "RUNNING"))
        registry.wait_for_mails(1)
        job = registry.job(job_uuid)
        assert job["user_input"] == {"odd": {"a.b": {"$x": 1}}}
        assert (job["state"], len(job["job_status"]["State"])) == ("RUNNING", 12)


def test_several_workers_share_one_sqlite_file(own_registry: RegistryProcess) -> None:
    """Four processes serve the same jobs; each mail is written once."""
    with own_registry.started(GRIDFERRY_API_WORKERS="4", GRIDFERRY_API_MAIL_POLL_S="0.2") as registry:
        jobs = [registry.create_job() for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda job_uuid: registry.report(state(job_uuid, 1, "RUNNING")), jobs))
        assert len(registry.wait_for_mails(8)) == 8
        assert {job["state"] for job in registry.call("GET", "/jobs").json()} == {"RUNNING"}


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told(own_registry: RegistryProcess, told: signal.Signals) -> None:
    """SIGTERM or Ctrl-C, to all its processes, ends it with code 0 amid requests, and no worker stays."""
    with own_registry.started() as registry, ThreadPoolExecutor(2) as pool:
        assert registry.process is not None
        asked = [pool.submit(_ask_until_gone, registry) for _ in range(2)]
        os.killpg(registry.process.pid, told)
        assert registry.process.wait(processes.DEADLINE_S) == 0
        assert [one.result() for one in asked] == [None, None]
        with pytest.raises(ProcessLookupError):
            os.killpg(registry.process.pid, 0)


def _ask_until_gone(registry: RegistryProcess) -> None:
    with contextlib.suppress(requests.RequestException):
        while True:
            registry.call("GET", "/health")


def test_a_mail_on_its_way_is_finished_before_the_end(own_registry: RegistryProcess) -> None:
    """Told to stop while the mail server dawdles, the registry waits for its yes and notes it: no second mail."""
    with MailServer().started() as mail_server, own_registry.started(**mail_server.settings()) as registry:
        mail_server.hold_s = 0.5
        job_uuid = registry.create_job()
        registry.report(state(job_uuid, 1, "RUNNING"))
        poll(lambda: mail_server.messages, "the mail server has the mail")
        assert registry.process is not None
        registry.process.terminate()
        registry.process.wait(processes.DEADLINE_S)
    with own_registry.started() as registry:
        assert registry.job(job_uuid)["timeline"][1]["mail"] == "sent"
    assert len(mail_server.messages) == 1


def test_behind_a_proxy_the_callers_address_counts(own_registry: RegistryProcess) -> None:
    """With `proxies` set, failed logins are counted by X-Forwarded-For, and addresses are built from its host."""
    with own_registry.started(GRIDFERRY_API_PROXIES="1") as registry:

        def failed(address: str) -> int:
            headers = {"X-Forwarded-For": address}
            return registry.call("POST", "/tokens", user="", auth=("ann", "wrong"), headers=headers).status_code

        assert [failed("10.1.1.1") for _ in range(6)] == [401] * 5 + [429]
        assert failed("10.1.1.2") == 401
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "grid.example"}
        answer = registry.call("POST", "/report-tokens", {"cluster": "demo"}, headers=forwarded)
        assert answer.json()["url"] == "https://grid.example"


def _log_in(registry: RegistryProcess, password: str = PASSWORD) -> tuple[requests.Session, requests.Response]:
    browser = requests.Session()
    browser.headers.update(_HTML)
    form = browser.get(registry.url + "/")
    found = re.search(r'name="form_token" value="([^"]+)"', form.text)
    assert found
    fields = {"form_token": found.group(1), "name": "ann", "password": password}
    return browser, browser.post(registry.url + "/login", data=fields)


def test_the_page_shows_clusters_and_own_jobs(registry: RegistryProcess) -> None:
    """After logging in: clusters with CPUs and the age of their status, own jobs, each with its timeline."""
    cpus = {"allocated": 90, "idle": 30, "other": 8, "total": 128}
    status = {"taken_at": "2026-01-01T00:00:00.000000Z", "cluster": {"cpus": cpus}, "nodes": []}
    registry.put_cluster("shown", status=status)
    job_uuid = registry.create_job(job_name="<b>bold</b>")
    foreign = registry.create_job(user="bob", job_name="not yours")
    rows = [{"task": str(n), "State": "FAILED" if n else "COMPLETED"} for n in range(3)]
    registry.report(
        entry(job_uuid, 1, "tasks", slurm_job_id="47", rows=rows),
        state(job_uuid, 2, "FAILED", detail="out of <memory>"),
    )
    browser, home = _log_in(registry)
    assert home.status_code == 200
    for words in ("shown", "<strong>30</strong> of 128 CPUs free", "&lt;b&gt;bold&lt;/b&gt;", "2 FAILED", "days ago"):
        assert words in home.text
    assert "not yours" not in home.text
    page = browser.get(f"{registry.url}/ui/jobs/{job_uuid}")
    assert "out of &lt;memory&gt;" in page.text
    assert f"python -m project -r {job_uuid}" in page.text
    missing = browser.get(f"{registry.url}/ui/jobs/{foreign}")
    assert (missing.status_code, "text/html" in missing.headers["Content-Type"]) == (404, True)


def test_the_page_is_guarded(registry: RegistryProcess) -> None:
    """Forms of others are refused, cookies are out of reach of scripts, and no page may hold scripts at all."""
    _, wrong = _log_in(registry, "wrong")
    assert wrong.status_code == 401
    assert "wrong" in wrong.text
    forged = requests.post(f"{registry.url}/login", data={"name": "ann", "password": PASSWORD}, timeout=10)
    assert forged.status_code == 403
    browser, home = _log_in(registry)
    cookie = requests.get(registry.url, timeout=10).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    policy = home.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "style=" not in home.text
    assert "<script" not in home.text
    assert browser.get(registry.url + "/static/style.css").status_code == 200
    stranger = requests.get(f"{registry.url}/ui/jobs/x", timeout=10, allow_redirects=False)
    assert stranger.status_code == 302


def test_secret_settings_may_come_from_files(own_registry: RegistryProcess, tmp_path: Path) -> None:
    """A secret is read from the file its `_FILE` variable names, and never shown by --help or taken as a flag."""
    store = tmp_path / "url"
    store.write_text("sqlite:///elsewhere.sqlite3\n")
    with own_registry.started(GRIDFERRY_STORE_URL_FILE=str(store)) as registry:
        assert registry.call("GET", "/health").status_code == 200
        assert (registry.folder / "elsewhere.sqlite3").exists()
    help_text = own_registry.command("serve", "--help").stdout
    assert "--mail-from" in help_text
    assert "password" not in re.sub(r"password of that", "", help_text)
    assert own_registry.command("serve", "--smtp-password", "x", check=False).returncode == 2


@pytest.mark.parametrize(
    ("host", "reason"),
    [("127.0.0.1", "something listens there already"), ("192.0.2.1", "this machine has no such address")],
)
def test_an_address_that_cannot_be_had_is_told_in_a_sentence(tmp_path: Path, host: str, reason: str) -> None:
    """A port that is taken or an address of another machine: exit 2 with reason and remedy, and not a line more."""
    registry = RegistryProcess(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = registry.command("serve", "--host", host, "--port", port, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    told, remedy = done.stderr.splitlines()
    assert told == f"the registry cannot listen on {host} port {port}: {reason}"
    assert remedy
