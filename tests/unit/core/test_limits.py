"""How much of one user Slurm takes at a time."""

from __future__ import annotations

import pytest

from project.core.slurm.commands import CommandResult
from project.core.slurm.limits import Association, Limits, ShowAssociations, ShowQos, limits_of


def _said(stdout: str) -> CommandResult:
    return CommandResult(0, stdout, "")


def test_the_accounting_tells_limits_where_they_are_set() -> None:
    """An empty cell and -1 are no limit; a broken answer tells nothing."""
    rows = "physics|normal|500|\nother||-1|20\n"
    assert ShowAssociations("jdoe").parse(_said(rows)) == [
        Association("physics", [500], "normal"),
        Association("other", [20], ""),
    ]
    assert ShowAssociations("jdoe").parse(CommandResult(1, "sacctmgr: error\n", "away")) == []
    assert ShowQos("normal").parse(_said("300||\n")) == [300]


@pytest.mark.parametrize(
    ("config", "submit", "expected"),
    [
        ({"MaxArraySize": "1001", "MaxJobCount": "10000"}, [], Limits(1000, 5000)),
        ({"MaxArraySize": "100001", "MaxJobCount": "10000"}, [300], Limits(300, 300)),
        ({}, [], Limits(1000, 5000)),
        ({"MaxArraySize": "1", "MaxJobCount": "1"}, [1], Limits(1, 0)),
    ],
)
def test_the_lowest_limit_counts(config: dict[str, str], submit: list[int], expected: Limits) -> None:
    """MaxArraySize is one more than the tasks; half of MaxJobCount is left to others; Slurm's defaults otherwise."""
    assert limits_of(config, submit) == expected
