"""A mail's words: pure, so that sending the same event again gives the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from project.core.answers import DIGEST
from project.core.printable import harmless, one_line
from project.core.slurm.states import is_end_state
from project.core.states import GatewayState, is_success

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_TAIL_LINES = 40
_TELL_A_STATE = ("state", DIGEST)
_LONGEST_MESSAGE_CHARS = 2000


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Everything a mail says.

    Attributes:
        kind: `state`, `notice` or `digest` (the end of a campaign).
        body: of the journal entry (docs/protocol.md).
        label: the job's own name, or "".
        at: when it happened, if the body has no `since`.
        page_url: address of the job's page, or "".
    """

    message_id: str
    sender: str
    recipient: str
    date: datetime
    job_uuid: str
    label: str
    cluster: str
    kind: str
    at: str
    body: Mapping[str, Any] = field(default_factory=dict)
    page_url: str = ""


def render(notice: Notice) -> EmailMessage:
    """Write the mail; nothing in it can add a header or a recipient."""
    message = EmailMessage()
    message["From"] = notice.sender
    message["To"] = notice.recipient
    message["Subject"] = _subject(notice)
    message["Date"] = format_datetime(notice.date)
    message["Message-ID"] = notice.message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: vacation replies stay away
    message.set_content("\n".join(_lines(notice)) + "\n")
    return message


def _subject(notice: Notice) -> str:
    what = one_line(notice.label) or notice.job_uuid
    said = one_line(notice.body["state"]) if notice.kind in _TELL_A_STATE else "problem"
    failed = _failures(notice)
    share = f" ({failed} of {notice.body['tasks']} tasks)" if failed else ""
    return f"{said}{share}: {what} ({one_line(notice.cluster)})"


def _failures(notice: Notice) -> int:
    """Return how many tasks of a campaign did not end well; 0 for other mails."""
    return len(notice.body["failed"]) + int(notice.body["more_failed"]) if notice.kind == DIGEST else 0


def _lines(notice: Notice) -> Iterator[str]:
    what = f'"{one_line(notice.label)}"' if notice.label else notice.job_uuid
    yield _opening(notice, what)
    yield ""
    for name, value in _facts(notice):
        yield f"  {name:<10} {value}"
    yield from _tail(notice)
    yield from _failed_tasks(notice)
    yield ""
    yield from _closing(notice)


def _opening(notice: Notice, what: str) -> str:
    if notice.kind == "state":
        return f"Your job {what} on {one_line(notice.cluster)} is {one_line(notice.body['state'])}."
    message = one_line(notice.body["message"], _LONGEST_MESSAGE_CHARS)
    if notice.kind == DIGEST:
        return f"Your campaign {what} on {one_line(notice.cluster)} has ended: {message}."
    return f"Your job {what} on {one_line(notice.cluster)} met a problem: {message}"


def _facts(notice: Notice) -> Iterator[tuple[str, str]]:
    body = notice.body
    since = str(body.get("since") or notice.at)
    yield "job", notice.job_uuid
    yield "cluster", one_line(notice.cluster)
    if notice.kind in _TELL_A_STATE:
        yield "state", one_line(body["state"])
    yield "since", one_line(f"{since[:19].replace('T', ' ')} UTC")
    named = (("stage", "stage"), ("reason", "reason"), ("exit code", "exit_code"))
    yield from ((name, one_line(body[key])) for name, key in named if body.get(key))
    counts = body.get("counts") or {}
    if counts:
        yield "tasks", ", ".join(f"{one_line(number)} {one_line(state)}" for state, number in counts.items())


def _tail(notice: Notice) -> Iterator[str]:
    detail = harmless(notice.body.get("detail") or "").strip("\n")
    if not detail or is_success(str(notice.body.get("state"))):
        return
    yield ""
    yield "The last lines of what it printed as errors:"
    yield ""
    yield from (f"  | {line}" for line in detail.splitlines()[-_TAIL_LINES:])


def _failed_tasks(notice: Notice) -> Iterator[str]:
    """Yield what did not end well in a campaign: its problems, and the first of its tasks."""
    if notice.kind != DIGEST:
        return
    problems = [one_line(problem, _LONGEST_MESSAGE_CHARS) for problem in notice.body["problems"]]
    failed = [f"  {index:<7} {one_line(state)} {one_line(code)}" for index, state, code in notice.body["failed"]]
    if notice.body["more_failed"]:
        failed.append(f"  and {notice.body['more_failed']} more, all in the table of the results")
    for title, lines in (("Problems:", problems), ("Tasks that did not end well:", failed)):
        if lines:
            yield from ("", title, "", *lines)


def _closing(notice: Notice) -> Iterator[str]:
    state = str(notice.body.get("state"))
    over = notice.kind in _TELL_A_STATE and (is_end_state(state) or state == GatewayState.ERROR)
    yield "Fetch the results with" if over else "Once it has ended, fetch the results with"
    yield ""
    yield f"  python -m project -r {notice.job_uuid}"
    if notice.page_url:
        yield ""
        yield f"More about this job: {notice.page_url}"
