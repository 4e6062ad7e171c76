"""What the accounting and the partitions let a user do, and what findings add up to."""

from __future__ import annotations

import pytest

from project.core.errors import SchedulerUnavailable
from project.core.findings import FAILURE, OK, WARNING, worst
from project.core.slurm.commands import CommandResult
from project.core.slurm.partitions import Partition
from project.core.slurm.rights import Right, ShowRights, usable

_PRINTED = """\
physics|||normal,long|10|50|1-00:00:00|cpu=64|
guests|debug|normal|normal|||||
"""


def test_accounts_and_their_limits_are_read() -> None:
    """As sacctmgr prints them, cells that are empty set nothing."""
    command = ShowRights("jdoe", "nic5")
    assert "cluster=nic5" in command.argv()
    physics, guests = command.parse(CommandResult(0, _PRINTED, ""))
    assert physics == Right(
        "physics",
        "",
        "",
        ["normal", "long"],
        {"running jobs": "10", "jobs in the queue": "50", "time limit": "1-00:00:00", "per job": "cpu=64"},
    )
    assert guests.words == "guests in debug (QOS normal)"
    assert Right("bare", "", "", [], {}).words == "bare"


def test_an_accounting_that_is_away_is_no_answer() -> None:
    """Nothing is concluded from silence."""
    with pytest.raises(SchedulerUnavailable):
        ShowRights("jdoe", "nic5").parse(CommandResult(1, "", "Unable to contact slurmdbd"))


@pytest.mark.parametrize(
    ("accounts", "groups", "names"),
    [
        (["physics"], ["users"], "open physics no-guests"),
        (["art"], ["users", "grid"], "open grid"),
        (["guests"], ["users"], "open"),
        ([], ["users"], "open physics no-guests"),
        (["physics", "guests"], ["users"], "open physics no-guests"),
    ],
)
def test_partitions_that_let_a_user_in(accounts: list[str], groups: list[str], names: str) -> None:
    """By account and by group, as far as either is known; those that are down let nobody in."""
    known = [
        Partition("open"),
        Partition("physics", accounts=["physics"]),
        Partition("grid", groups=["grid"]),
        Partition("no-guests", denied_accounts=["guests"], accounts=["physics", "guests"]),
        Partition("down", state="DOWN"),
    ]
    assert " ".join(partition.name for partition in usable(known, accounts, groups)) == names


def test_the_worst_counts() -> None:
    """Of nothing, all is well."""
    assert [worst(levels) for levels in ([], [OK, WARNING, OK], [WARNING, FAILURE, OK])] == [OK, WARNING, FAILURE]
