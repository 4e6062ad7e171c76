"""The chaos suite itself: a seed is a plan, and each check finds what it is there to find."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.chaos.evidence import Accounted, Evidence, Start
from tests.chaos.invariants import CHECKS, violations
from tests.chaos.kinds import KINDS
from tests.chaos.plan import FAULTS, Fault, Submission, plan
from tests.chaos.researcher import Call

if TYPE_CHECKING:
    from collections.abc import Callable

_UUID = "8a4f8c52-0000-4000-8000-000000000001"
_WAY = ["UPLOADED", "SUBMITTED", "PENDING", "RUNNING", "COMPLETED", "DONE"]
_MAILED = (3, 4, 5)


def _entry(seq: int, state: str) -> dict[str, Any]:
    return {"seq": seq, "key": f"{seq:09d}", "kind": "state", "body": {"state": state}}


def _whole() -> Evidence:
    """A quick job with which all went well."""
    entries = [_entry(seq, state) for seq, state in enumerate(_WAY, 1)]
    created = {"key": "created", "kind": "state", "body": {"state": "CREATED"}}
    return Evidence(
        number=7,
        kind="quick",
        job_uuid=_UUID,
        is_settled=True,
        calls=[Call(["-u", "job.yml"], 0, "")],
        starts=[Start(_UUID, "41", "job", "0")],
        accounted=[Accounted("41", _UUID, "COMPLETED", "2026-11-20T10:00:00")],
        job={
            "state": "DONE",
            "outcome": "COMPLETED",
            "slurm_job_id": "41",
            "last_seq": len(entries),
            "timeline": [created, *copy.deepcopy(entries)],
        },
        journal=entries,
        is_active=False,
        mails=Counter({f"<{_UUID}.{seq:09d}@localhost>": 1 for seq in _MAILED}),
        results={"out.txt": "result 7\n"},
    )


def test_what_went_well_is_not_complained_about() -> None:
    """Neither by any check nor for mails that an interruption doubled."""
    evidence = _whole()
    assert violations([evidence], 0) == []
    evidence.mails[f"<{_UUID}.{_MAILED[0]:09d}@localhost>"] = 2
    assert violations([evidence], 1) == []


def _swap_states(evidence: Evidence) -> None:
    for entries in (evidence.journal, evidence.job["timeline"][1:]):
        entries[2]["body"], entries[3]["body"] = entries[3]["body"], entries[2]["body"]


_TAMPERED: dict[str, Callable[[Evidence], object]] = {
    "not in the queue nor refused": lambda e: setattr(e, "is_settled", False),
    "an exit code nobody expects": lambda e: e.calls.append(Call(["-r", "x"], 1, "")),
    "a traceback": lambda e: e.calls.append(Call(["-r", "x"], 0, "Traceback (most recent call last)")),
    "begun twice": lambda e: e.starts.append(Start(_UUID, "41", "job", "0")),
    "begun again though nobody asked": lambda e: e.starts.append(Start(_UUID, "41", "job", "1")),
    "begun under another id": lambda e: e.starts.append(Start(_UUID, "42", "job", "0")),
    "begun under another UUID": lambda e: e.starts.append(Start("other", "43", "job", "0")),
    "never begun": lambda e: e.starts.clear(),
    "Slurm says otherwise": lambda e: e.accounted.append(Accounted("41", _UUID, "FAILED", "Unknown")),
    "Slurm does not know it": lambda e: e.accounted.clear(),
    "a surplus job ran": lambda e: e.accounted.append(Accounted("42", _UUID, "COMPLETED", "2026-11-20T10:00:00")),
    "a surplus job was not told": lambda e: e.accounted.append(Accounted("42", _UUID, "CANCELLED by 0", "None")),
    "not ended": lambda e: e.job.update(state="POSTPROCESSING"),
    "another outcome": lambda e: e.job.update(outcome="FAILED"),
    "still active": lambda e: setattr(e, "is_active", True),
    "an entry missing": lambda e: e.job["timeline"].pop(),
    "an entry doubled": lambda e: e.job["timeline"].append(e.job["timeline"][-1]),
    "entries not counted": lambda e: e.job.update(last_seq=4),
    "out of order": _swap_states,
    "a mail missing": lambda e: e.mails.popitem(),
    "a mail too many": lambda e: e.mails.update({f"<{_UUID}.000000001@localhost>": 1}),
    "a mail twice": lambda e: e.mails.update({f"<{_UUID}.{_MAILED[0]:09d}@localhost>": 1}),
    "a result missing": lambda e: e.results.clear(),
    "a result damaged": lambda e: e.results.update({"out.txt": "result"}),
}


@pytest.mark.parametrize("what", _TAMPERED)
def test_what_went_wrong_is_found(what: str) -> None:
    """Each kind of damage is named."""
    evidence = _whole()
    _TAMPERED[what](evidence)
    assert violations([evidence], 0)


def test_every_check_can_fail() -> None:
    """No check is there that none of the damages above makes complain."""
    silent = set(CHECKS)
    for tamper in _TAMPERED.values():
        evidence = _whole()
        tamper(evidence)
        silent -= {check for check in silent if list(check(evidence))}
    assert {check.__name__ for check in silent} == set()


def test_a_seed_is_a_plan() -> None:
    """The same again for the same seed; another for another; all kinds of jobs and of faults in a long one."""
    assert plan(3, 50) == plan(3, 50)
    assert plan(3, 50) != plan(4, 50)
    steps = plan(3, 50)
    assert {step.kind for step in steps if isinstance(step, Submission)} == set(KINDS)
    assert {step.name for step in steps if isinstance(step, Fault)} == set(FAULTS)


def test_a_short_plan_has_no_long_faults() -> None:
    """What would have to last longer is left out, the rest is cut short."""
    faults = [step for seed in range(20) for step in plan(seed, 20, longest_s=8) if isinstance(step, Fault)]
    assert max(fault.seconds for fault in faults) <= 8
    assert "the follower stands still" not in {fault.name for fault in faults}
    assert not any("late" in fault.detail for fault in faults)
