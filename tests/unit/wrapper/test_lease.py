"""Leases: one owner at a time, known to be dead or alive, and told when overtaken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from project.wrapper.identity import identity
from project.wrapper.lease import STALE_AFTER_S, Lease, LeaseLost
from tests.contract.processes import poll
from tests.unit.wrapper.racing import let_go, race, start

_SHORT_LIFE_S = 0.6

_HOLD = """
from project.wrapper.lease import Lease
lease = Lease(sys.argv[1])
print(lease.acquire(), flush=True)
sys.stdin.readline()
"""
_RACE = """
from project.wrapper.lease import Lease
lease = Lease(sys.argv[1])
print(lease.epoch if lease.acquire() else 0)
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A lease's folder, not there yet."""
    return str(tmp_path / "lease")


def _say_elsewhere(lease: Lease, **owner: Any) -> str:
    """Let a lease be that of an owner on another login node; return its file."""
    path = lease._file(lease.epoch)
    Path(path).write_text(json.dumps({"host": "login2", "boot": "other", "pid": 1, "started": "5", **owner}))
    return path


def _from_elsewhere(folder: str, age_s: float) -> None:
    """Leave the lease of an owner on another login node whose last heartbeat is this old."""
    lease = Lease(folder)
    assert lease.acquire()
    os.utime(_say_elsewhere(lease), (time.time() - age_s,) * 2)


def test_a_free_lease_is_taken_and_a_held_one_is_not(folder: str) -> None:
    """The first one gets it; nobody else does until it is given back."""
    first, second = Lease(folder), Lease(folder)
    assert not first.is_held()
    assert first.acquire()
    assert second.is_held()
    assert not second.acquire()
    first.release()
    assert not second.is_held()
    assert second.acquire()


def test_epochs_grow(folder: str) -> None:
    """Each owner has a higher epoch than all before it, and one file is left of them."""
    epochs = []
    for _ in range(3):
        lease = Lease(folder)
        assert lease.acquire()
        epochs.append(lease.epoch)
        lease.release()
    assert epochs == [1, 2, 3]
    assert [path.name for path in Path(folder).iterdir()] == ["epoch-00000003"]


def test_of_many_that_want_a_free_lease_one_gets_it(folder: str) -> None:
    """Processes that begin together, on an abandoned lease, again and again."""
    for expected in (1, 2, 3):
        epochs = sorted(int(printed) for printed in race(_RACE, folder))
        assert epochs == [0, 0, 0, 0, expected]


def test_a_killed_owner_is_known_to_be_dead_at_once(folder: str) -> None:
    """On the same machine nobody waits for a heartbeat of a process that is no more."""
    owner = start(_HOLD, folder)
    with owner:
        let_go(owner)
        assert owner.stdout is not None
        assert owner.stdout.readline() == "True\n"
        assert Lease(folder).is_held()
        owner.kill()
    assert not Lease(folder).is_held()
    assert Lease(folder).acquire()


def test_a_number_used_again_is_not_the_owner(folder: str) -> None:
    """Another process with the dead owner's pid has another start time."""
    lease = Lease(folder)
    assert lease.acquire()
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as other:
        _say_elsewhere(lease, **{**identity(other.pid), "pid": other.pid, "started": "1"})
        assert not lease.is_held()


@pytest.mark.parametrize(("age_s", "held"), [(0.0, True), (20.0, True), (40.0, False)])
def test_on_another_login_node_age_decides(folder: str, age_s: float, held: bool) -> None:
    """A pid means nothing there: the owner lives as long as its heartbeat is young."""
    _from_elsewhere(folder, age_s)
    assert Lease(folder).is_held() is held
    assert Lease(folder).acquire() is not held


def _beats(lease: Lease) -> bool:
    """Make the last heartbeat ancient and wait for the next one."""
    path = Path(lease._file(lease.epoch))
    os.utime(path, (0, 0))
    return poll(lambda: path.stat().st_mtime > 0, "a heartbeat")


def test_one_that_outlived_its_login_is_known(folder: str) -> None:
    """The lease says which login started its owner: once that has ended and the owner has not, it has outlived it."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as login:
        lease = Lease(folder, login=identity(login.pid))
        assert lease.acquire()
        assert not Lease(folder).outlived_login()
    assert Lease(folder).outlived_login()
    lease.release()
    assert not Lease(folder).outlived_login()


def test_an_owner_that_no_login_started_has_outlived_none(folder: str) -> None:
    """Slurm started it: it says nothing about logins."""
    assert Lease(folder).acquire()
    assert not Lease(folder).outlived_login()


def test_heartbeats_keep_a_lease(folder: str) -> None:
    """An owner elsewhere that beats is not overtaken; once it is silent it is."""
    owner, other = Lease(folder, _SHORT_LIFE_S), Lease(folder)
    assert owner.acquire()
    _say_elsewhere(owner)
    owner.keep_alive()
    assert _beats(owner)
    assert not other.acquire()
    owner._stop.set()

    def overtaken() -> bool:
        os.utime(owner._file(owner.epoch), (0, 0))  # a last beat may have been on its way
        return other.acquire()

    poll(overtaken, "the lease of the silent one is taken")


def test_heartbeats_begin_again_with_the_next_lease(folder: str) -> None:
    """An owner that gave its lease back and took it once more beats once more."""
    lease = Lease(folder, _SHORT_LIFE_S)
    for _ in range(2):
        assert lease.acquire()
        lease.keep_alive()
        assert _beats(lease)
        lease.release()


def test_one_that_was_overtaken_is_told(folder: str) -> None:
    """Before anything that must not be done twice the owner asks, and learns that it is no more."""
    owner, next_one = Lease(folder), Lease(folder, stale_after_s=-1)
    assert owner.acquire()
    owner.check()
    assert next_one.acquire()
    with pytest.raises(LeaseLost):
        owner.check()
    owner.release()
    next_one.check()
    assert next_one.is_held() is False  # with a life of less than nothing


def test_one_that_slept_while_others_came_and_went_gets_nothing(folder: str) -> None:
    """It saw an old epoch abandoned; by now there is a newer one, and making the one between counts for nothing."""

    class Slow(Lease):
        """Falls asleep after it has found the lease abandoned."""

        def _abandoned(self, epoch: int) -> bool:
            for _ in range(2):
                passing = Lease(folder)
                assert passing.acquire()
                passing.release()
            return super()._abandoned(epoch)

    first = Lease(folder)
    assert first.acquire()
    first.release()
    assert not Slow(folder).acquire()
    assert Lease(folder).acquire()


def test_waiting_for_the_dead_ends_when_the_owner_shows_life(folder: str) -> None:
    """One heartbeat is enough to know that nobody is needed here."""
    _from_elsewhere(folder, 5)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            os.utime(Lease(folder)._file(1))

    assert not Lease(folder).acquire_from_the_dead(sleep)
    assert len(waits) == 3


def test_waiting_for_the_dead_ends_with_their_lease(folder: str) -> None:
    """Once the owner has been silent for too long the lease is taken."""
    _from_elsewhere(folder, STALE_AFTER_S - 0.5)
    lease = Lease(folder)
    assert not lease.acquire()
    assert lease.acquire_from_the_dead(time.sleep)
    assert lease.epoch == 2
