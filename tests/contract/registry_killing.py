"""A registry that is killed again and again while it is told of ten jobs from two sides."""

from __future__ import annotations

import random
import threading
import time
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
    """Kill the registry `kills` times in the middle of reports, then finish them: all is there once, and all mail."""
    settings = {**mail_server.settings(), "GRIDFERRY_API_MAIL_LEASE_S": "1"}
    with registry.started(**settings):
        jobs = [registry.create_job() for _ in range(10)]
    for _ in range(kills):
        with registry.started(**settings):
            senders = _send_in_background(registry, jobs)
            time.sleep(random.uniform(0.02, 0.12))  # noqa: S311 - any moment will do
            registry.kill()
            for sender in senders:
                sender.join()
    with registry.started(**settings):
        for job_uuid in jobs:
            assert registry.report(*journal(job_uuid)).json()["refused"] == {}
        assert_whole(registry, jobs)
        poll(lambda: registry.call("GET", "/health").json()["mail"]["due"] == 0, "all mail was sent")
    assert_mailed(mail_server, jobs, most_twice=kills)  # at most the one that was on its way at each kill
    assert "Traceback" not in registry.output()


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


def _send_in_background(registry: RegistryProcess, jobs: Sequence[str]) -> list[threading.Thread]:
    """Send each journal, a growing part at a time, until the registry is gone; from two sides at once."""

    def send(order: Sequence[str]) -> None:
        try:
            for upto in range(1, _LAST + 1):
                for job_uuid in order:
                    registry.report(*journal(job_uuid)[:upto])
        except requests.RequestException:
            return

    senders = [threading.Thread(target=send, args=(order,)) for order in (jobs, jobs[::-1])]
    for sender in senders:
        sender.start()
    return senders
