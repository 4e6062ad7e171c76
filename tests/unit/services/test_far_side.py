"""The way to the cluster of a job: which key is used, and who is asked for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import TransferFailed
from project.services.far_side import FarSide, refuse_cleaned
from project.services.logins import LoginChoice
from tests.unit.services.ports import CLUSTER, UUID, FakeCluster, FakeProgram, FakeRecords, ListeningView, Person

if TYPE_CHECKING:
    from pathlib import Path

_JOB: dict[str, Any] = {
    "job_uuid": UUID, "cluster": "nic5", "destination_cluster": CLUSTER, "user_input": {"username": "jdoe"},
}  # fmt: skip


def _log_in(tmp_path: Path, *answers: str, **own: str) -> str:
    """Log in for a job submitted with a key that is gone; return the key that was used."""
    cluster, person = FakeCluster(), Person(*answers)
    far_side = FarSide(
        connector=cluster,
        records=FakeRecords({"job_uuid": UUID, "username": "jdoe", "private_key": str(tmp_path / "gone")}),
        toolbox=FakeProgram(),
        prompter=person,
        view=ListeningView(),
        logins=LoginChoice(clusters={"nic5": own}),
    )
    far_side.connect(_JOB, {})
    (login,) = cluster.logins
    return str(login.private_key)


def test_a_key_that_is_gone_is_asked_for(tmp_path: Path) -> None:
    """Until one is named that is there."""
    other = tmp_path / "other"
    other.touch()
    assert _log_in(tmp_path, str(tmp_path / "nor this"), str(other)) == str(other)


def test_a_key_of_the_settings_needs_no_other(tmp_path: Path) -> None:
    """It is used whatever the job was submitted with, so nobody is asked."""
    own = tmp_path / "own"
    assert _log_in(tmp_path, private_key=str(own)) == str(own)


def test_a_folder_that_was_cleaned_away_is_not_looked_for() -> None:
    """It is told who removed it."""
    refuse_cleaned({**_JOB, "cleaned_at": None})
    with pytest.raises(TransferFailed, match="on nic5 was removed by `clean`"):
        refuse_cleaned({**_JOB, "cleaned_at": "2026-11-20T10:00:00.000000Z"})
