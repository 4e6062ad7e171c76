"""Staying with a command until its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import Cancelled, GridferryError, JobFailed, UsageError
from project.services.cancel import Canceller
from project.services.far_side import FarSide
from project.services.logins import LoginChoice
from project.services.logs import LogReader
from project.services.run import Runner, default_cluster
from tests.unit.services.ports import (
    UUID,
    FakeCluster,
    FakeProgram,
    FakeRecords,
    FakeRegistry,
    ListeningView,
    Person,
    QuickClock,
)

if TYPE_CHECKING:
    from project.ports import LogText

_TEXT = {"event": "text", "name": "slurm-1.out", "task": "", "stream": "out", "text": "a\n", "offset": 2}


class _Stay:
    """A command that runs; every port is at hand."""

    def __init__(self, outcome: str | None, exit_code: str, *answers: str, interrupted: bool = False) -> None:
        self.cluster, self.view, self.person = FakeCluster(), ListeningView(), Person(*answers)
        end = {"event": "end", "ended": True, "state": "DONE", "outcome": outcome, "exit_code": exit_code}
        self.cluster.events["logs"] = [_TEXT, end]
        cancelled = {"event": "cancelled", "job_uuid": UUID, "had_ended": "", "survivors": []}
        self.cluster.events["cancel"] = [cancelled]
        self._interrupted = interrupted
        self.got: list[bytes] = []

    def _write(self, text: LogText) -> None:
        self.got.append(text.data)
        if self._interrupted:
            raise KeyboardInterrupt

    def stay(self) -> int:
        """Stay until the end."""
        registry = FakeRegistry({"state": "RUNNING", "ended": False, "cluster": "nic5"})
        far_side = FarSide(
            connector=self.cluster,
            records=FakeRecords({"private_key": None}),
            toolbox=FakeProgram(),
            prompter=self.person,
            view=self.view,
            logins=LoginChoice(),
        )
        runner = Runner(
            log_reader=LogReader(registry=registry, far_side=far_side, view=self.view, clock=QuickClock()),
            canceller=Canceller(registry=registry, far_side=far_side, view=self.view),
            prompter=self.person,
            view=self.view,
        )
        return runner.stay(UUID, self._write)


@pytest.mark.parametrize(
    ("outcome", "exit_code", "code"), [("COMPLETED", "0:0", 0), ("FAILED", "7:0", 7), ("FAILED", "0:9", 137)]
)
def test_output_and_exit_code_are_passed_on(outcome: str, exit_code: str, code: int) -> None:
    """As a shell would tell them."""
    run = _Stay(outcome, exit_code)
    assert run.stay() == code
    assert run.got == [b"a\n"]


@pytest.mark.parametrize(
    ("outcome", "error", "message"),
    [("CANCELLED", Cancelled, "was cancelled"), ("TIMEOUT", JobFailed, "as TIMEOUT"), (None, JobFailed, "as DONE")],
)
def test_an_end_without_exit_code_is_told(outcome: str | None, error: type[GridferryError], message: str) -> None:
    """Somebody else cancelled it, time ran out, or Slurm never had it; exit code 13."""
    with pytest.raises(error, match=message) as caught:
        _Stay(outcome, "0:0").stay()
    assert caught.value.exit_code == 13


@pytest.mark.parametrize(
    ("answers", "cancels", "said"),
    [(["y"], True, f"{UUID}  cancelled"), (["n"], False, "It goes on"), ([], False, "It goes on")],
)
def test_ctrl_c_asks_before_it_cancels(answers: list[str], cancels: bool, said: str) -> None:
    """Whoever says no, or is not there, keeps the job and is told how to go on."""
    run = _Stay("COMPLETED", "0:0", *answers, interrupted=True)
    assert run.stay() == 130
    assert run.person.asked == ["Cancel the job?"]
    assert (run.cluster.words == ["", UUID]) is cancels
    assert any(said in line for line in run.view.said)


def _clusters(*names: str, **closed: bool) -> list[dict[str, Any]]:
    return [{"name": name, "enabled": not closed.get(name, False)} for name in names]


def test_the_only_cluster_needs_no_name() -> None:
    """One that takes no jobs does not count; of several one has to be named, and they are told."""
    assert default_cluster("", _clusters("a", "b", b=True)) == "a"
    assert default_cluster("b", _clusters("a", "b")) == "b"
    with pytest.raises(UsageError, match="is not said") as caught:
        default_cluster("", _clusters("a", "b"))
    assert "a, b" in caught.value.remedy
