"""A mail's words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api_srv.mailer.render import Notice, render

_UUID = "3f2b1c0e-0000-4000-8000-000000000000"


def _notice(**more: Any) -> Notice:
    usual: dict[str, Any] = {
        "message_id": f"<{_UUID}.1@example.org>",
        "sender": "Gridferry <gridferry@example.org>",
        "recipient": "ann@example.org",
        "date": datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
        "job_uuid": _UUID,
        "label": "first try",
        "cluster": "demo",
        "kind": "state",
        "at": "2026-11-20T10:00:00.000000Z",
        "body": {"state": "COMPLETED"},
    }
    return Notice(**{**usual, **more})


def test_a_mail_about_a_good_end() -> None:
    """The whole mail, word for word."""
    body = {"state": "COMPLETED", "exit_code": "0:0", "detail": "noise", "counts": {"COMPLETED": 15}}
    mail = render(_notice(body=body, page_url="https://grid.example/ui/jobs/x"))
    assert mail["Subject"] == "COMPLETED: first try (demo)"
    assert mail["Date"] == "Fri, 20 Nov 2026 10:00:00 +0000"
    assert (
        mail.get_content()
        == f"""\
Your job "first try" on demo is COMPLETED.

  job        {_UUID}
  cluster    demo
  state      COMPLETED
  since      2026-11-20 10:00:00 UTC
  exit code  0:0
  tasks      15 COMPLETED

Fetch the results with

  python -m project -r {_UUID}

More about this job: https://grid.example/ui/jobs/x
"""
    )


def test_a_mail_about_the_end_of_a_campaign() -> None:
    """One mail for all tasks: how many ended well, which did not, what went wrong."""
    body = {
        "state": "FAILED", "message": "236 of 240 tasks ended well", "tasks": 240, "parts": 3,
        "counts": {"COMPLETED": 236, "FAILED": 3, "TIMEOUT": 1},
        "failed": [[7, "FAILED", "3:0"], [190, "TIMEOUT", "0:0"]], "more_failed": 2,
        "problems": ["a module failed\nBcc: x@example.org"],
    }  # fmt: skip
    mail = render(_notice(kind="digest", body=body))
    assert mail["Subject"] == "FAILED (4 of 240 tasks): first try (demo)"
    assert (
        mail.get_content()
        == f"""\
Your campaign "first try" on demo has ended: 236 of 240 tasks ended well.

  job        {_UUID}
  cluster    demo
  state      FAILED
  since      2026-11-20 10:00:00 UTC
  tasks      236 COMPLETED, 3 FAILED, 1 TIMEOUT

Problems:

a module failed Bcc: x@example.org

Tasks that did not end well:

  7       FAILED 3:0
  190     TIMEOUT 0:0
  and 2 more, all in the table of the results

Fetch the results with

  python -m project -r {_UUID}
"""
    )


def test_the_same_event_gives_the_same_bytes() -> None:
    """A mail that is sent again is the same mail."""
    assert render(_notice()).as_bytes() == render(_notice()).as_bytes()


def test_a_job_that_goes_on_is_not_fetched_yet() -> None:
    """The command is told with the right words for a job that has not ended."""
    assert "Once it has ended, fetch" in render(_notice(body={"state": "RUNNING"})).get_content()
    assert "\nFetch the results" in render(_notice(body={"state": "ERROR"})).get_content()


@given(st.text(), st.text(min_size=1), st.text())
def test_no_text_breaks_a_mail(label: str, state: str, detail: str) -> None:
    """Whatever a job is called or printed: no header is added, and the mail can be sent as bytes."""
    mail = render(_notice(label=_storable(label), body={"state": _storable(state), "detail": _storable(detail)}))
    names = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
    assert [name for name in mail.keys() if not name.startswith(("Content-", "MIME"))] == names  # noqa: SIM118 - repeats count
    assert mail.as_bytes()


def _storable(text: str) -> str:
    """Return `text` as the registry stores it: without halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()
