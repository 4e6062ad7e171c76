"""Campaigns in the registry: parts are jobs that know their campaign, and its end is one mail."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.processes import poll
from tests.contract.registry_process import entry, state

if TYPE_CHECKING:
    from email.message import EmailMessage

    from tests.contract.registry_process import RegistryProcess

_WAY = ("UPLOADED", "SUBMITTED", "PENDING", "RUNNING")


def _campaign(registry: RegistryProcess, *indexes: str, **user_input: Any) -> list[str]:
    """Create the parts of a campaign; return their UUIDs, the campaign's first."""
    uuids = [str(uuid.uuid4()) for _ in indexes]
    for job_uuid, part in zip(uuids, indexes, strict=True):
        _add_part(registry, uuids[0], part, job_uuid, **user_input)
    return uuids


def _add_part(registry: RegistryProcess, campaign: str, indexes: str, job_uuid: str, **user_input: Any) -> None:
    body = {
        "user_input": user_input,
        "destination_cluster": "demo",
        "campaign": {"uuid": campaign, "indexes": indexes},
    }
    answer = registry.call("POST", f"/jobs/{job_uuid}", body)
    assert answer.status_code == 201, answer.text


def _run(registry: RegistryProcess, job_uuid: str, *ends: str, last: str = "DONE") -> list[dict[str, Any]]:
    """Report a part's whole way, its tasks ending in these states; return the entries."""
    rows = [
        {"task": str(task), "State": end, "JobID": f"7_{task}", "ExitCode": "0:0" if end == "COMPLETED" else "3:0"}
        for task, end in enumerate(ends, 1)
    ]
    entries = [state(job_uuid, number, word) for number, word in enumerate(_WAY, 1)]
    entries.append(entry(job_uuid, 5, "tasks", slurm_job_id="7", rows=rows))
    entries.append(state(job_uuid, 6, "FAILED" if "FAILED" in ends else "COMPLETED"))
    entries.append(state(job_uuid, 7, last))
    answer = registry.report(*entries)
    assert answer.json()["acknowledged"] == {job_uuid: 7}, answer.text
    return entries


def _mails(registry: RegistryProcess, *uuids: str, number: int) -> list[EmailMessage]:
    """Return the mails about these jobs once there are so many and none is due."""

    def about() -> list[EmailMessage]:
        return [mail for mail in registry.wait_for_mails(0) if any(job in mail["Message-ID"] for job in uuids)]

    poll(lambda: len(about()) >= number, f"{number} mails")
    found = about()
    assert len(found) == number
    return found


def test_the_end_of_a_campaign_is_one_mail_for_all_of_its_parts(registry: RegistryProcess) -> None:
    """No part mails anything; the last to end brings the digest, once, however often its entries are sent again."""
    first, second = _campaign(registry, "1-3", "4-5", job_name="doses")
    _run(registry, first, "COMPLETED", "FAILED", "COMPLETED")
    _mails(registry, first, second, number=0)
    entries = _run(registry, second, "COMPLETED", "COMPLETED")
    registry.report(*entries)
    (mail,) = _mails(registry, first, second, number=1)
    assert mail["Subject"] == "FAILED (1 of 5 tasks): doses (demo)"
    text = str(mail.get_content())
    assert "4 of 5 tasks ended well" in text
    assert "2       FAILED 3:0" in text
    assert f"-r {first}" in text


def test_tasks_that_run_again_end_in_a_digest_of_their_own(registry: RegistryProcess) -> None:
    """They keep their numbers, so that the last attempt counts; what is added later counts, too."""
    (first,) = _campaign(registry, "1-3", job_name="doses")
    _run(registry, first, "FAILED", "COMPLETED", "FAILED")
    again = str(uuid.uuid4())
    _add_part(registry, first, "1,3", again)
    _run(registry, again, "COMPLETED", "COMPLETED")
    more = str(uuid.uuid4())
    _add_part(registry, first, "4", more)
    _run(registry, more, "FAILED")
    subjects = [str(mail["Subject"]) for mail in _mails(registry, first, again, more, number=3)]
    assert sorted(subjects) == [
        "COMPLETED: doses (demo)", "FAILED (1 of 4 tasks): doses (demo)", "FAILED (2 of 3 tasks): doses (demo)",
    ]  # fmt: skip


def test_a_part_that_never_came_into_the_queue_is_in_the_digest(registry: RegistryProcess) -> None:
    """It is told with its reason, and its tasks count as not done."""
    first, second = _campaign(registry, "1-2", "3-4")
    _run(registry, first, "COMPLETED", "COMPLETED")
    refused = state(second, 2, "ERROR", stage="submission", reason="no such partition")
    registry.report(state(second, 1, "UPLOADED"), refused)
    (mail,) = _mails(registry, first, second, number=1)
    assert mail["Subject"] == f"ERROR (2 of 4 tasks): {first} (demo)"
    assert "no such partition" in str(mail.get_content())


@pytest.mark.parametrize(
    ("notify", "ends", "mails"),
    [("none", ["FAILED"], 0), ("errors", ["COMPLETED"], 0), ("errors", ["FAILED"], 1), (["ended"], ["COMPLETED"], 1)],
)
def test_notify_narrows_the_digest(registry: RegistryProcess, notify: Any, ends: list[str], mails: int) -> None:
    """None is none; errors are told to whom wants errors only."""
    (first,) = _campaign(registry, "1", notify=notify)
    _run(registry, first, *ends)
    assert registry.job(first)["timeline"][-1]["kind"] == "digest"
    _mails(registry, first, number=mails)


def test_parts_are_listed_by_their_campaign_and_shown_with_their_place(registry: RegistryProcess) -> None:
    """Only the caller's; a job that is no part says so; what is no campaign is refused."""
    first, second = _campaign(registry, "1-3", "4-5")
    plain = registry.create_job()
    listed = registry.call("GET", f"/jobs?campaign={first}").json()
    assert [(job["job_uuid"], job["campaign"]["indexes"]) for job in listed] == [(second, "4-5"), (first, "1-3")]
    assert registry.job(plain)["campaign"] is None
    assert registry.call("GET", f"/jobs?campaign={first}", user="bob").json() == []
    wrong = {"user_input": {}, "destination_cluster": "demo", "campaign": {"uuid": "x"}}
    refused = registry.call("POST", f"/jobs/{uuid.uuid4()}", wrong)
    assert (refused.status_code, refused.json()["problems"][0]["key"]) == (422, "campaign")
    changed = registry.call("PUT", f"/jobs/{plain}", {"campaign": {"uuid": first, "indexes": "6"}})
    assert changed.status_code == 422
