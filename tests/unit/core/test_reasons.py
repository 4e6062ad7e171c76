"""Reasons of pending jobs: which of them waiting does not help."""

from __future__ import annotations

import pytest

from project.core.slurm.reasons import obstacle


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("PartitionTimeLimit", "Lower resources.duration"),
        ("PartitionNodeLimit", "Ask for fewer nodes"),
        ("(PartitionConfig)", "Ask for less"),
        ("PartitionDown", "name another partition"),
        ("BadConstraints", "Correct the constraint"),
        ("DependencyNeverSatisfied", "once that one has"),
        ("InvalidAccount", "resources.account"),
        ("QOSMaxWallDurationPerJobLimit", "Lower resources.duration"),
        ("AssocMaxCpuPerJobLimit", "fewer nodes or cores"),
        ("QOSMaxNodePerJobLimit", "fewer nodes or cores"),
        ("ReservationDeleted", "resources.reservation"),
        ("launch failed requeued held", "container and its paths"),
        ("JobHeldAdmin", "administrators"),
        ("Job's account not permitted to use this partition (batch allows root not sandbox)", "resources.account"),
        ("Job's QOS not permitted to use this partition (batch denies normal including normal)", "resources.qos"),
        ("User's group not permitted to use this partition", "another partition"),
    ],
)
def test_what_keeps_a_job_from_ever_starting_has_a_remedy(reason: str, remedy: str) -> None:
    """As squeue prints it, with brackets or without."""
    found = obstacle(reason)
    assert found is not None
    assert remedy in found.remedy


@pytest.mark.parametrize(
    "reason",
    [
        "", "None", "Priority", "Resources", "Dependency", "BeginTime", "JobArrayTaskLimit", "Reservation",
        "Licenses", "AssocGrpCpuLimit", "QOSMaxJobsPerUserLimit", "ReqNodeNotAvail, UnavailableNodes:n1",
        "JobHeldUser",
        "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
    ],
)  # fmt: skip
def test_where_waiting_helps_nobody_is_alarmed(reason: str) -> None:
    """Queues, limits on all of a user's jobs, a reservation that has not begun, and a hold of one's own."""
    assert obstacle(reason) is None
