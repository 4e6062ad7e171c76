"""Waiting for a job's end, over a registry that comes and goes."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.errors import ExitCode, JobFailed, RegistryError, RegistryUnavailable
from project.services.wait import Waiter
from tests.unit.services.ports import UUID, FakeRegistry, ListeningView, QuickClock


def wait(*answers: Any) -> tuple[dict[str, Any], ListeningView, QuickClock]:
    """Wait for a job about which the registry answers this."""
    view, clock = ListeningView(), QuickClock()
    job = Waiter(registry=FakeRegistry(*answers), view=view, clock=clock).wait(UUID)
    return job, view, clock


def ended(outcome: str | None, state: str = "DONE", **body: Any) -> dict[str, Any]:
    """A job that has ended."""
    event = {"kind": "state", "body": {"state": outcome or state, **body}}
    return {"state": state, "outcome": outcome, "timeline": [event, {"kind": "notice", "body": {"message": "x"}}]}


def test_each_state_is_shown_once() -> None:
    """Until nothing is left to do: the end in Slurm is not yet the end of the job."""
    states = ["PENDING", "PENDING", "RUNNING", "COMPLETED", "POSTPROCESSING"]
    job, view, _ = wait(*({"state": state, "outcome": None} for state in states), ended("COMPLETED"))
    assert view.stages == ["wait", "PENDING", "RUNNING", "COMPLETED", "POSTPROCESSING", "DONE"]
    assert job["outcome"] == "COMPLETED"


def test_waits_grow_and_begin_anew_with_each_change() -> None:
    """Soon after a change; then a twentieth of the time that has gone by, and never more than ten seconds."""
    quiet = [{"state": "RUNNING", "outcome": None}] * 200
    _, _, clock = wait(*quiet, {"state": "POSTPROCESSING", "outcome": None}, ended("COMPLETED"))
    waits = clock.waits_s
    assert waits[:-1] == sorted(waits[:-1])
    assert (waits[0], waits[-2], waits[-1]) == (0.1, 10.0, 0.1)
    assert all(wait <= max(0.1, sum(waits[:number]) / 20 + 1e-9) for number, wait in enumerate(waits[:-1]))


def test_a_registry_that_is_away_is_waited_for() -> None:
    """It says nothing about the job."""
    away = RegistryUnavailable("away")
    job, view, _ = wait(away, {"state": "RUNNING", "outcome": None}, away, away, ended("COMPLETED"))
    assert job["state"] == "DONE"
    assert view.stages == ["wait", "RUNNING", "DONE"]


def test_a_registry_that_refuses_ends_the_wait() -> None:
    """A token that has expired does not come back by waiting."""
    with pytest.raises(RegistryError, match="expired"):
        wait({"state": "RUNNING", "outcome": None}, RegistryError("the token has expired"))


@pytest.mark.parametrize(
    ("job", "message", "detail"),
    [
        (
            ended("FAILED", exit_code="3:0", detail="last words"),
            "the job ended as FAILED (exit code 3:0)",
            "last words",
        ),
        (ended("TIMEOUT", reason="too slow", exit_code="0:1"), "the job ended as TIMEOUT (too slow)", ""),
        (ended("CANCELLED"), "the job ended as CANCELLED", ""),
        (ended(None, "ERROR", reason="no gcc", detail="tail"), "the job ended as ERROR (no gcc)", "tail"),
        ({"state": "ERROR", "outcome": None, "timeline": []}, "the job ended as ERROR", ""),
    ],
)
def test_another_end_than_success_is_an_error(job: dict[str, Any], message: str, detail: str) -> None:
    """Its exit code tells scripts; the message says why, the remedy how to fetch what there is."""
    with pytest.raises(JobFailed) as caught:
        wait(job)
    assert (caught.value.message, caught.value.detail) == (message, detail)
    assert f"-r {UUID}" in caught.value.remedy
    assert caught.value.exit_code == ExitCode.JOB_FAILED
