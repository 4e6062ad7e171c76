"""What outlives a login on a cluster: proven by two logins over SSH, remembered there, and used by submissions."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.adapters.terminal import PlainView, TerminalPrompter
from project.bootstrap import Gateway
from project.config import load_settings
from project.wrapper.lease import Lease
from tests.e2e.far_side import (
    job_folder,
    kill_logins,
    mailed_states,
    processes_of_logins,
    slurm,
    submit,
    wait_for_mail,
    wait_for_state,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo.grid import Grid
    from project.services.survival import Finding

pytestmark = pytest.mark.slurm


class _Site:
    """A clock during whose waits the site does what it does at the end of a login."""

    def __init__(self, policy: Callable[[], object]) -> None:
        self._policy = policy

    def now_s(self) -> float:
        """Nobody asks."""
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        """The login has ended."""
        assert seconds > 0
        self._policy()


def _finding(grid: Grid) -> Path:
    return Path(grid.info.cluster_document()["job_root"]) / "gridferry" / "control" / "follower" / "survival.json"


@pytest.fixture
def unproven(grid: Grid) -> Iterator[Path]:
    """The file in which the cluster remembers, not there before and after."""
    path = _finding(grid)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    slurm(grid, "scancel", "--name=gridferry-follower")  # no follower of an earlier test, whoever started it
    kill_logins(grid)
    wait_until(lambda: not Lease(str(path.parent)).is_held(), what="the end of the last follower")
    yield path
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def _prove(grid: Grid, policy: Callable[[], object]) -> Finding:
    gateway = Gateway(load_settings(grid.client_variables), TerminalPrompter(no_input=True), PlainView())
    user_input = {"username": grid.info.ssh_user, "private_key": str(grid.info.ssh_key)}
    survival = replace(gateway.survival(), clock=_Site(policy))
    return survival.prove(grid.info.cluster_document(), user_input)


def test_two_logins_prove_that_a_daemon_lives_on(grid: Grid, unproven: Path) -> None:
    """Where nothing is killed a daemon is enough; the third login knows it, and jobs get no follower of Slurm's."""
    found = _prove(grid, lambda: None)
    assert found.mode == "daemon"
    assert found.at
    assert json.loads(unproven.read_text())["proven"] == "daemon"
    assert _prove(grid, lambda: pytest.fail("it is known already")) == found


def test_where_nothing_lives_on_slurm_follows(grid: Grid, unproven: Path, tmp_path: Path) -> None:
    """A site that kills at logout is proven to; `follow: auto` then has Slurm tell the end within 60 s of it."""
    assert _prove(grid, lambda: kill_logins(grid)).mode == "slurm"
    job_uuid = submit(grid, tmp_path, execution=["sleep 5", "echo done"])
    assert kill_logins(grid) > 0
    assert processes_of_logins(grid) == []
    wait_for_mail(grid, job_uuid, "COMPLETED", limit_s=65)
    assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]
    wait_for_state(grid, job_uuid, "DONE")
    assert json.loads(unproven.read_text())["proven"] == "slurm"


def test_a_follower_that_outlived_its_login_proves_it(grid: Grid, unproven: Path, tmp_path: Path) -> None:
    """The first submission has Slurm behind it; the next login finds its follower alive, and needs that no more."""
    first = submit(grid, tmp_path, execution=["sleep 8"])
    watcher = "control/watcher.sbatch"
    wait_until((job_folder(grid, first) / watcher).exists)
    second = submit(grid, tmp_path, execution=["true"])
    assert json.loads(unproven.read_text())["proven"] == "daemon"
    assert not (job_folder(grid, second) / watcher).exists()
    for job_uuid in (first, second):
        assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "COMPLETED"
