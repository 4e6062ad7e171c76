"""What must be true of every submission in the end, whatever went wrong on the way; each check names what is not."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from project.core.errors import ExitCode
from project.core.states import goes_back, is_final, mails_owner, rank
from tests.chaos.kinds import KINDS
from tests.chaos.researcher import TRANSIENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.chaos.evidence import Evidence

_ERROR = "ERROR"
_KILLED = -9
_EXPECTED = {ExitCode.OK, ExitCode.SUBMISSION_REFUSED, ExitCode.NOT_ENDED, *TRANSIENT, _KILLED}


def client_is_clear(found: Evidence) -> Iterator[str]:
    """Every call of the client ended as documented, and the last word was clear."""
    for call in found.calls:
        words = " ".join(call.arguments[:2])
        if call.exit_code not in _EXPECTED:
            yield f"`{words}` ended with {call.exit_code}: {call.said[-300:]!r}"
        if "Traceback" in call.said:
            yield f"`{words}` showed a traceback: {call.said[-600:]!r}"
    if not (found.is_settled and found.job_uuid):
        yield "it is neither in the queue nor refused"


def starts_once(found: Evidence) -> Iterator[str]:
    """The user's commands began under one UUID and one Slurm job, each task once per start that Slurm gave it."""
    ids = sorted({(start.job_uuid, start.slurm_job_id) for start in found.starts})
    if len(ids) > 1 or any(job_uuid != found.job_uuid for job_uuid, _ in ids):
        yield f"its commands began under {ids}"
    for task in sorted({start.task for start in found.starts}):
        restarts = sorted(int(start.restart) for start in found.starts if start.task == task)
        if len(set(restarts)) < len(restarts):
            yield f"task {task} began twice under one start of Slurm's: {restarts}"
        if restarts != [0] and KINDS[found.kind].event != "requeue":
            yield f"task {task} began with the restarts {restarts}, and nobody let Slurm start it again"


def starts_at_all(found: Evidence) -> Iterator[str]:
    """What completed did begin, every task of it; what was refused never did."""
    began = {start.task for start in found.starts}
    tasks = set(KINDS[found.kind].tasks)
    if _outcome(found.job) in ("COMPLETED", "FAILED") and began != tasks:
        yield f"it is {_outcome(found.job)}, and of {sorted(tasks)} only {sorted(began)} began"
    if _outcome(found.job) == _ERROR and began:
        yield f"it is told as an error, and {sorted(began)} began"


def accounting_agrees(found: Evidence) -> Iterator[str]:
    """In the accounting one job ran, as the registry says; any other was cancelled, never ran and was told."""
    own = str(found.job.get("slurm_job_id") or "")
    states = {row.state.split()[0] for row in found.accounted if row.slurm_job_id == own}
    never_was = not states and not found.starts and _outcome(found.job) == "CANCELLED"  # Slurm may forget such a job
    if own and states != {_outcome(found.job)} and not never_was:
        yield f"the accounting says {sorted(states)} of job {own}, the registry {_outcome(found.job)}"
    if any(start.slurm_job_id != own for start in found.starts):
        yield f"the registry knows it as Slurm job {own!r}, and it began under another id"
    for surplus in {row.slurm_job_id: row for row in found.accounted if row.slurm_job_id != own}.values():
        told = [event for event in found.job["timeline"] if f" {surplus.slurm_job_id} " in _message(event)]
        if not surplus.state.startswith("CANCELLED") or surplus.start not in ("None", "Unknown"):
            yield f"a surplus job {surplus.slurm_job_id} is {surplus.state}, and started: {surplus.start}"
        if len(told) != 1:
            yield f"the surplus job {surplus.slurm_job_id} was told {len(told)} times"


def ends_as_it_should(found: Evidence) -> Iterator[str]:
    """It came to the end that its kind has, and nothing is left to do."""
    if not is_final(str(found.job.get("state"))):
        yield f"it is {found.job.get('state')} in the end"
    if _outcome(found.job) not in KINDS[found.kind].ends:
        yield f"its outcome is {_outcome(found.job)}: {found.job.get('reason')}"
    if found.is_active:
        yield "the cluster still has work with it"


def registry_heard_all_once(found: Evidence) -> Iterator[str]:
    """The registry has what the journal has, each entry once and in order."""
    journal = [(f"{entry['seq']:09d}", entry["kind"], _said(entry)) for entry in found.journal]
    told = [(event["key"], event["kind"], _said(event)) for event in found.job.get("timeline", [])[1:]]
    expected = [entry for entry in journal if entry[1] in ("state", "notice")]
    if told != expected:
        yield f"the journal says {expected}, the registry {told}"
    if found.job.get("last_seq") != len(journal):
        yield f"the journal has {len(journal)} entries, the registry {found.job.get('last_seq')}"


def states_go_forward(found: Evidence) -> Iterator[str]:
    """No state was told twice or after a later one; only a job that Slurm starts again goes back among its words."""
    states = [event["body"]["state"] for event in found.job.get("timeline", []) if event["kind"] == "state"]
    again = KINDS[found.kind].event == "requeue"
    for before, after in pairwise(states):
        if before == after or goes_back(before, after):
            yield f"{after} was told after {before}: {states}"
        elif not again and rank(before) and rank(after) and rank(after) <= rank(before):
            yield f"{after} was told after {before}, and nobody let Slurm start it again: {states}"


def mails_arrived(found: Evidence) -> Iterator[str]:
    """Every due mail arrived, and no other."""
    due = {f"<{found.job_uuid}.{event['key']}" for event in found.job.get("timeline", []) if _is_mailed(event)}
    came = {name.partition("@")[0] for name in found.mails}
    if due != came:
        yield f"mails {sorted(due - came)} did not arrive, {sorted(came - due)} were not due"


def results_are_whole(found: Evidence) -> Iterator[str]:
    """What was fetched is what the job wrote."""
    if _outcome(found.job) == "COMPLETED":
        for name, text in KINDS[found.kind].results(found.number).items():
            if found.results.get(name) != text:
                yield f"{name} holds {found.results.get(name)!r}, not {text!r}"


CHECKS: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    client_is_clear,
    starts_once,
    starts_at_all,
    accounting_agrees,
    ends_as_it_should,
    registry_heard_all_once,
    states_go_forward,
    mails_arrived,
    results_are_whole,
)


def violations(evidence: Iterable[Evidence], interruptions: int) -> list[str]:
    """Return everything that is not as promised.

    Args:
        evidence: on every submission.
        interruptions: how often the registry or the mail server ended: each may leave one mail of which nobody can
            know whether it arrived, and which is sent again.
    """
    found = list(evidence)
    wrong = [
        f"submission {one.number} ({one.kind}, {one.job_uuid}): {complaint}"
        for one in found
        for check in CHECKS
        for complaint in check(one)
    ]
    twice = sum((one.mails for one in found), Counter[str]())
    surplus = twice.total() - len(twice)
    if surplus > interruptions:
        wrong.append(f"{surplus} mails came twice, and only {interruptions} could have been cut off")
    return wrong


def _outcome(job: dict[str, Any]) -> str:
    return str(job.get("outcome") or job.get("state"))


def _message(event: dict[str, Any]) -> str:
    return str(event["body"].get("message", ""))


def _said(entry: dict[str, Any]) -> str:
    return str(entry["body"].get("state") or entry["body"].get("message"))


def _is_mailed(event: dict[str, Any]) -> bool:
    body = event["body"]
    if event["kind"] == "state":
        return mails_owner(str(body["state"]))
    return bool(event["kind"] == "notice" and body["severity"] == "error")
