"""Every reason that Slurm documents for a pending job, from 20.11 to 26.05: in words, and with what can be done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from project.core.slurm.reasons import HOPELESS, RECORDED, Row, find
from project.core.slurm.waiting import PASSING, waiting

_TESTS = Path(__file__).parents[2]

#: squeue(1), and job_reason_codes.html of which it has a part; limits on resources follow below.
_WORDS = """
AccountingPolicy AccountNotAllowed AssociationJobLimit AssociationResourceLimit AssociationTimeLimit BadConstraints
BeginTime BurstBufferOperation BurstBufferResources BurstBufferStageIn Cleaning Constraints DeadLine Dependency
DependencyNeverSatisfied FedJobLock FrontEndDown InactiveLimit InvalidAccount InvalidQOS JobArrayTaskLimit
JobHeldAdmin JobHeldUser JobHoldMaxRequeue JobLaunchFailure Licenses MaxMemPerLimit NodeDown NonZeroExitCode None
OutOfMemory PartitionConfig PartitionDown PartitionInactive PartitionNodeLimit PartitionTimeLimit PowerNotAvail
PowerReserved Priority Prolog QOSJobLimit QOSNotAllowed QOSResourceLimit QOSTimeLimit QOSUsageThreshold RaisedSignal
ReqNodeNotAvail Reservation ReservationDeleted ReservationInvalid Resources SchedDefer SystemFailure TimeLimit
WaitingForScheduling AssocMaxJobsLimit AssocMaxSubmitJobLimit QOSMaxJobsPerUserLimit QOSMaxSubmitJobPerUserLimit
MaxJobsPerAccount MaxSubmitJobsPerAccount AssocGrpJobsLimit AssocGrpSubmitJobsLimit QOSGrpJobsLimit
QOSGrpSubmitJobsLimit AssocGrpWallLimit QOSGrpWallLimit AssocMaxWallDurationPerJobLimit QOSMaxWallDurationPerJobLimit
AssocGrpCpuLimit AssocGrpCPUMinutesLimit AssocGrpCPURunMinutesLimit AssocMaxCpuPerJobLimit AssocMaxCpuPerNode
AssocMaxCpuMinutesPerJobLimit AssocGrpNodeLimit AssocGrpNodeMinutes AssocGrpNodeRunMinutes AssocMaxNodePerJobLimit
AssocMaxNodeMinutesPerJob AssocGrpMemLimit AssocGrpMemMinutes AssocGrpMemRunMinutes AssocMaxMemPerJob
AssocMaxMemPerNode AssocMaxMemMinutesPerJob QOSGrpCpuLimit QOSGrpCPUMinutesLimit QOSGrpCPURunMinutesLimit
QOSMaxCpuPerJobLimit QOSMaxCpuPerNode QOSMaxCpuMinutesPerJobLimit QOSMaxCpuPerUserLimit QOSMinCpuNotSatisfied
QOSGrpNodeLimit QOSGrpNodeMinutes QOSGrpNodeRunMinutes QOSMaxNodePerJobLimit QOSMaxNodeMinutesPerJob
QOSMaxNodePerUserLimit QOSMinNode QOSGrpMemLimit QOSGrpMemoryMinutes QOSGrpMemoryRunMinutes QOSMaxMemoryPerJob
QOSMaxMemoryPerNode QOSMaxMemoryMinutesPerJob QOSMaxMemoryPerUser QOSMinMemory MaxCpuPerAccount MaxNodePerAccount
MaxMemoryPerAccount
"""
#: Of each of these the same limits are documented.
_RESOURCES = ("BB", "Billing", "Energy", "GRES", "License", "Unknown")
_LIMITS = """
AssocGrp{} AssocGrp{}Minutes AssocGrp{}RunMinutes AssocMax{}PerJob AssocMax{}PerNode AssocMax{}MinutesPerJob
QOSGrp{} QOSGrp{}Minutes QOSGrp{}RunMinutes QOSMax{}PerJob QOSMax{}PerNode QOSMax{}MinutesPerJob QOSMax{}PerUser
QOSMin{} Max{}PerAccount
"""
_DOCUMENTED = (_WORDS + "".join(_LIMITS.replace("{}", resource) for resource in _RESOURCES)).split()
_ROWS = [*HOPELESS, *PASSING]


def _row_of(reason: str) -> Row | None:
    return find(HOPELESS, reason) or find(PASSING, reason)


@pytest.mark.parametrize("reason", _DOCUMENTED)
def test_every_documented_reason_is_put_in_words(reason: str) -> None:
    """With what can be done; none is just repeated."""
    wait = waiting(f"({reason})")
    assert wait.text
    assert wait.remedy
    assert f"Slurm says {reason}" not in wait.text


@pytest.mark.parametrize(
    ("words", "reasons"),
    [
        ("budget", ["AssocGrpCPUMinutesLimit", "QOSGrpGRESMinutes", "AssocGrpWallLimit", "QOSGrpMemoryMinutes"]),
        ("may still take", ["AssocGrpCPURunMinutesLimit", "QOSGrpBillingRunMinutes"]),
        ("jobs that run", ["AssocGrpCpuLimit", "AssocGrpGRES", "AssocGrpJobsLimit"]),
        ("share of its QOS", ["QOSGrpCpuLimit", "QOSGrpLicense", "QOSResourceLimit"]),
        ("no job of this size for so long", ["AssocMaxCpuMinutesPerJobLimit", "QOSMaxGRESMinutesPerJob"]),
        ("no job of this size", ["AssocMaxNodePerJobLimit", "QOSMaxBBPerJob"]),
        ("more of one node", ["AssocMaxMemPerNode", "QOSMaxCpuPerNode"]),
        ("your account uses as much", ["MaxBBPerAccount", "MaxJobsPerAccount"]),
        ("no such time limit", ["QOSMaxWallDurationPerJobLimit"]),
        ("has failed", ["BurstBufferOperation"]),
    ],
)
def test_limits_are_told_for_what_they_limit(words: str, reasons: list[str]) -> None:
    """A budget that is used up does not come back when a job ends; a job too large never starts."""
    assert [reason for reason in reasons if words not in waiting(reason).text] == []


def test_what_passes_by_itself_is_told_apart_from_what_never_will() -> None:
    """Whatever is about one job alone; limits on what runs together pass."""
    never = [reason for reason in _DOCUMENTED if waiting(reason).is_hopeless]
    assert {reason for reason in _DOCUMENTED if "PerJob" in reason or "PerNode" in reason} <= set(never)
    assert not [reason for reason in never if "Grp" in reason or "PerUser" in reason or "PerAccount" in reason]


def test_a_row_that_says_it_was_recorded_was() -> None:
    """A real Slurm gave a reason of each; the others name the page they are from."""
    recorded = (json.loads(path.read_text())["reason"] for path in _TESTS.glob("recorded/slurm-*/waits/*.json"))
    seen = [_row_of(reason) for reason in recorded]
    assert [row[0] for row in _ROWS if row[3] == RECORDED and row not in seen] == []
    assert [row[0] for row in _ROWS if row[3] != RECORDED and row in seen] == []


def test_every_row_stands_for_a_reason() -> None:
    """None stands behind another that always comes first."""
    further = ["PartitionMinNodes", "launch failed requeued held", "User's group not permitted to use this partition"]
    reached = [_row_of(reason) for reason in [*_DOCUMENTED, *further]]
    assert [row[0] for row in _ROWS if row not in reached] == []
