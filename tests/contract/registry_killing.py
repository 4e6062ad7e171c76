"""A registry that is killed again and again while it is told of jobs from two sides."""

from __future__ import annotations

import contextlib
import random
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import requests

from tests.contract.processes import poll
from tests.contract.registry_process import entry, state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.contract.mail_server import MailServer
    from tests.contract.registry_process import RegistryProcess

#: The states that `journal` goes through.
WORDS = ["UPLOADED", "SUBMITTED", "PENDING", "RUNNING", "COMPLETED", "DONE"]
_LAST = 11
_EVENTS = (2, 3, 4, 7, 8, 9, 10)
_MAILED = (4, 7, 8, 9)
#: More than can be told of until the registry is killed.
_ENOUGH_JOBS = 200
_MAIL_LIMIT_S = 600.0


def journal(job_uuid: str) -> list[dict[str, Any]]:
    """A journal with every kind of entry."""
    rows = [{"task": str(number), "State": "RUNNING"} for number in (1, 2)]
    return [
        entry(job_uuid, 1, "fields", fields={"job_directory": "/d"}),
        *(state(job_uuid, number, word) for number, word in enumerate(WORDS[:3], 2)),
        entry(job_uuid, 5, "tasks", slurm_job_id="47", rows=rows),
        entry(job_uuid, 6, "module", stage="preprocessing", step=1, module="m", result=1),
        entry(job_uuid, 7, "notice", severity="error", stage="s", message="m", detail=""),
        *(state(job_uuid, number, word) for number, word in enumerate(WORDS[3:], 8)),
        entry(job_uuid, 11, "tasks", rows=[{"task": "2", "State": "COMPLETED"}]),
    ]


def kill_amid_reports(registry: RegistryProcess, mail_server: MailServer, kills: int) -> None:
    """Kill the registry `kills` times in the middle of writes, then finish them: all is there once, and all mail."""
    limits = {"GRIDFERRY_API_MAIL_LEASE_S": "1", "GRIDFERRY_API_MAIL_PER_HOUR": "100000"}
    settings, jobs = {**mail_server.settings(), **limits}, list[str]()
    for _ in range(kills):
        with registry.started(**settings):
            tellers = Tellers(registry)
            time.sleep(random.uniform(0.0, 0.1))  # noqa: S311 - any moment will do
            registry.kill()
            jobs += tellers.jobs()
    with registry.started(**settings):
        for job_uuid in jobs:
            registry.create_job(job_uuid)
            assert registry.report(*journal(job_uuid)).json()["refused"] == {}
        assert_whole(registry, jobs)
        due = "all mail was sent"
        poll(lambda: registry.call("GET", "/health").json()["mail"]["due"] == 0, due, _MAIL_LIMIT_S)
    assert_mailed(mail_server, jobs, most_twice=kills)  # at most the one that was on its way at each kill
    assert "Traceback" not in registry.output()


class Tellers:
    """Two who create jobs and tell of them without a pause, both of the same ones, until the registry is gone.

    So each request changes something, and whenever it is killed it is in the middle of one. They are at work when
    this has been made.
    """

    def __init__(self, registry: RegistryProcess) -> None:
        self._registry = registry
        self._uuids = [str(uuid.uuid4()) for _ in range(_ENOUGH_JOBS)]
        self._taken, self._begun, self._cut_off = 0, set[str](), 0
        self._threads = [threading.Thread(target=self._tell) for _ in range(2)]
        for thread in self._threads:
            thread.start()
        poll(lambda: self._taken, "a first report was taken")

    def jobs(self) -> list[str]:
        """Wait until both have noticed that the registry is gone; return the jobs that it may know."""
        for thread in self._threads:
            thread.join()
        assert self._cut_off == len(self._threads), "the registry was killed while both were at it"
        return [job_uuid for job_uuid in self._uuids if job_uuid in self._begun]

    def _tell(self) -> None:
        with contextlib.suppress(requests.RequestException):
            for job_uuid in self._uuids:
                self._begun.add(job_uuid)
                self._registry.create_job(job_uuid)
                for upto in range(1, _LAST + 1):
                    self._taken += self._registry.report(*journal(job_uuid)[:upto]).ok
            return
        self._cut_off += 1


def assert_whole(registry: RegistryProcess, jobs: Sequence[str]) -> None:
    """Check that every entry of every job is there once, in order."""
    for job_uuid in jobs:
        job = registry.job(job_uuid)
        assert job["last_seq"] == _LAST
        assert [event["key"] for event in job["timeline"]] == ["created", *(f"{seq:09d}" for seq in _EVENTS)]


def assert_mailed(mail_server: MailServer, jobs: Sequence[str], most_twice: int) -> None:
    """Check that every due mail came, none under two names, and no more than so many of them twice."""
    expected = {f"<{job_uuid}.{seq:09d}@localhost>" for job_uuid in jobs for seq in _MAILED}
    sent = mail_server.sent_ids()
    assert set(sent) == expected
    assert sum(sent.values()) - len(expected) <= most_twice
