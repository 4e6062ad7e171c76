"""A registry whose disk is full or whose database is restarted: nothing acknowledged is lost, nothing doubled."""

from __future__ import annotations

import os
import resource
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from api_srv.config import Settings
from api_srv.services.accounts import Caller
from api_srv.services.bundle import build
from tests.contract import processes
from tests.contract.mail_server import MailServer
from tests.contract.processes import poll
from tests.contract.registry_killing import assert_mailed, assert_whole, journal
from tests.contract.registry_process import RegistryProcess, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api_srv.dao.ports import Document, Documents


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that is up."""
    with MailServer().started() as server:
        yield server


def _limit_files(registry: RegistryProcess, *, full: bool) -> None:
    """Let no file of the registry's processes grow any more (RLIMIT_FSIZE), or let them again."""
    assert registry.process is not None
    group = registry.process.pid
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        try:
            if os.getpgid(pid) == group:
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (0 if full else hard, hard))
        except ProcessLookupError:
            continue


def test_a_full_disk_is_answered_and_made_good(own_registry: RegistryProcess, mail_server: MailServer) -> None:
    """While nothing can be written reports get 503 and what is there can be read; afterwards all is taken, once."""
    with own_registry.started(**mail_server.settings()) as registry:
        job_uuid = registry.create_job()
        registry.report(*journal(job_uuid)[:5])
        _limit_files(registry, full=True)
        for _ in range(3):
            answer = registry.report(*journal(job_uuid))
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert registry.job(job_uuid)["last_seq"] == 5
        _limit_files(registry, full=False)
        assert registry.report(*journal(job_uuid)).status_code == 200
        assert_whole(registry, [job_uuid])
        poll(lambda: registry.call("GET", "/health").json()["mail"]["due"] == 0, "all mail was sent")
    assert_mailed(mail_server, [job_uuid], most_twice=0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of four megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can make a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_file_system_shows_in_the_health(small_disk: Path) -> None:
    """Mail in the folder waits, health says why, also after a restart; when there is room, all is made good."""
    registry = RegistryProcess(small_disk / "registry")
    registry.furnish()
    with registry.started():
        job_uuid = registry.create_job()
        registry.report(*journal(job_uuid)[:3])
    filler = small_disk / "filler"
    _fill(filler)
    with registry.started():
        health = registry.call("GET", "/health")
        assert (health.status_code, health.json()["type"]) == (503, "store-unavailable")
        assert "is full" in health.json()["detail"]
        assert registry.report(*journal(job_uuid)).status_code == 503
        assert registry.job(job_uuid)["last_seq"] == 3
    filler.unlink()
    with registry.started():
        assert registry.report(*journal(job_uuid)).status_code == 200
        assert_whole(registry, [job_uuid])
        mails = registry.wait_for_mails(4)
        assert len({mail["Message-ID"] for mail in mails}) == 4
        assert not list((registry.folder / "mail").glob("*.part"))


def _fill(path: Path) -> None:
    """Write until there is no room for a single byte."""
    with path.open("wb", buffering=0) as file:
        for size in (64 * 1024, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


class Mistaken:
    """A database that fails in a way nobody foresaw whenever a certain text is stored."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def __getattr__(self, name: str) -> Any:
        return getattr(self._documents, name)

    def insert(self, collection: str, document: Document) -> bool:
        """Store a new document."""
        if "stumble" in str(document):
            raise ZeroDivisionError
        return self._documents.insert(collection, document)


def test_a_mistake_with_one_job_is_that_jobs_alone(documents: Documents) -> None:
    """The registry itself stumbles over an entry: the other jobs of the same request are taken."""
    ann = Caller("ann", admin=False, mail="ann@example.org")
    services = build(Settings(), Mistaken(documents))
    services.clusters.put("demo", {"hostname": "h"})
    bad, good = str(uuid.uuid4()), str(uuid.uuid4())
    for job_uuid in (bad, good):
        services.jobs.create(ann, job_uuid, {"user_input": {}, "destination_cluster": "demo"})
    entries = [state(bad, 1, "RUNNING", reason="stumble"), state(good, 1, "RUNNING")]
    answer = services.reports.accept(ann, {"cluster": "demo", "reports": entries})
    assert answer["acknowledged"] == {good: 1}
    assert set(answer["refused"]) == {bad}


def test_a_database_that_is_restarted(tmp_path: Path, mail_server: MailServer) -> None:
    """Reports get 503 meanwhile, and are sent again: every entry once, every mail once."""
    program = processes.find_program("nx-27017")
    if program is None:
        pytest.skip("nx-27017 is not installed (pip install -e '.[dev]')")
    port = processes.free_port()
    argv = [program, "--data-dir", str(tmp_path / "data"), "--port", str(port), "--log-file", str(tmp_path / "log")]
    argv += ["--pid-file", str(tmp_path / "pid")]
    registry = RegistryProcess(tmp_path / "registry", GRIDFERRY_STORE_URL=f"mongodb://127.0.0.1:{port}/restarts")
    with processes.running(argv, tmp_path / "output") as database:
        processes.wait_for_port(port, database)
        registry.furnish()
    refused = 0
    with registry.started(**mail_server.settings()):
        jobs: list[str] = []
        for number in (3, 7):
            with processes.running(argv, tmp_path / "output") as database:
                processes.wait_for_port(port, database)
                poll(lambda: registry.call("GET", "/health").status_code == 200, "the database is back")
                jobs = jobs or [registry.create_job() for _ in range(3)]
                refused += not all(_report(registry, job_uuid, number) for job_uuid in jobs)
            refused += not _report(registry, jobs[0], number)
        with processes.running(argv, tmp_path / "output") as database:
            processes.wait_for_port(port, database)
            poll(lambda: all(_report(registry, job_uuid, 11) for job_uuid in jobs), "all is told")
            assert_whole(registry, jobs)
            poll(lambda: registry.call("GET", "/health").json()["mail"]["due"] == 0, "all mail was sent")
    assert refused
    assert_mailed(mail_server, jobs, most_twice=0)


def _report(registry: RegistryProcess, job_uuid: str, upto: int) -> bool:
    """Send a journal's first entries; whether they were taken."""
    try:
        answer = registry.report(*journal(job_uuid)[:upto])
    except requests.RequestException:
        return False
    assert answer.status_code in {200, 503}, answer.text
    return answer.status_code == 200
