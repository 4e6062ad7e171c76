"""What outlives a login on a cluster: proven by two logins over SSH, remembered there, and used by submissions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from project.adapters.terminal import PlainView, TerminalPrompter
from project.bootstrap import Gateway
from project.config import load_settings
from project.core.follow_modes import DAEMON, SYSTEMD
from tests.e2e.far_side import (
    content,
    end_followers,
    fetched_or_none,
    is_there,
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
    from pathlib import Path, PurePath

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


@pytest.fixture
def unproven(grid: Grid) -> Iterator[PurePath]:
    """The file in which the cluster remembers, not there before and after."""
    path = grid.info.job_root / "gridferry" / "control" / "follower" / "survival.json"
    slurm(grid, "rm", "-f", str(path))
    end_followers(grid)
    yield path
    slurm(grid, "rm", "-f", str(path))


def _prove(grid: Grid, policy: Callable[[], object]) -> Finding:
    gateway = Gateway(load_settings(grid.client_variables), TerminalPrompter(no_input=True), PlainView())
    user_input = {"username": grid.info.ssh_user, "private_key": str(grid.info.ssh_key)}
    survival = replace(gateway.survival(), clock=_Site(policy))
    return survival.prove(grid.info.cluster_document(), user_input)


def test_two_logins_prove_that_a_daemon_lives_on(grid: Grid, unproven: PurePath) -> None:
    """Where nothing is killed a daemon is enough; the third login knows it, and jobs get no follower of Slurm's."""
    found = _prove(grid, lambda: None)
    assert found.mode == "daemon"
    assert found.at
    assert json.loads(content(grid, unproven))["proven"] == "daemon"
    assert _prove(grid, lambda: pytest.fail("it is known already")) == found


def test_where_nothing_lives_on_slurm_follows(grid: Grid, unproven: PurePath, tmp_path: Path) -> None:
    """A site that kills at logout is proven to; `follow: auto` then has Slurm tell the end within 60 s of it."""
    assert _prove(grid, lambda: kill_logins(grid)).mode == "slurm"
    job_uuid = submit(grid, tmp_path, execution=["sleep 5", "echo done"])
    assert kill_logins(grid) > 0
    assert processes_of_logins(grid) == {}
    wait_for_mail(grid, job_uuid, "COMPLETED", limit_s=65)
    assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]
    wait_for_state(grid, job_uuid, "DONE")
    assert json.loads(content(grid, unproven))["proven"] == "slurm"


@pytest.mark.usefixtures("unproven")
@pytest.mark.parametrize("follow", [DAEMON, SYSTEMD])
def test_a_killed_follower_that_nothing_stands_behind_is_made_good(grid: Grid, tmp_path: Path, follow: str) -> None:
    """Where `follow` promises more than the site keeps, the next command that comes there has all mails sent."""
    grid.register(grid.info, follow=follow)
    try:
        job_uuid = submit(grid, tmp_path, execution=["sleep 4", "echo 1 > out.txt"], output=["out.txt"])
        assert kill_logins(grid) > 0
        end = job_folder(grid, job_uuid) / "control" / "marks" / "end.job"
        wait_until(lambda: is_there(grid, end), what="the mark of the job's end")
        assert "COMPLETED" not in mailed_states(grid, job_uuid)
        wait_until(lambda: fetched_or_none(grid, job_uuid, tmp_path), what="the results")
        wait_for_mail(grid, job_uuid, "COMPLETED")
        assert mailed_states(grid, job_uuid) == ["PENDING", "RUNNING", "COMPLETED"]
    finally:
        grid.register(grid.info)


def test_a_follower_that_outlived_its_login_proves_it(grid: Grid, unproven: PurePath, tmp_path: Path) -> None:
    """The first submission has Slurm behind it; the next login finds its follower alive, and needs that no more."""
    first = submit(grid, tmp_path, execution=["sleep 8"])
    watcher = "control/watcher.sbatch"
    wait_until(lambda: is_there(grid, job_folder(grid, first) / watcher))
    second = submit(grid, tmp_path, execution=["true"])
    assert json.loads(content(grid, unproven))["proven"] == "daemon"
    assert not is_there(grid, job_folder(grid, second) / watcher)
    for job_uuid in (first, second):
        assert wait_for_state(grid, job_uuid, "DONE")["outcome"] == "COMPLETED"
