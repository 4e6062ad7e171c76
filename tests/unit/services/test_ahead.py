"""A login made before anybody asks for it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from project.core.errors import Unreachable
from project.services.ahead import LoginAhead
from project.services.remote import Remote
from tests.unit.services.ports import CLUSTER, FakeCluster, FakeProgram

if TYPE_CHECKING:
    from collections.abc import Callable


class _Counted:
    """Logs in as often as it is asked to; says which logins are open."""

    def __init__(self, before: Callable[[], object] = lambda: None) -> None:
        self.made: list[FakeCluster] = []
        self._before = before

    def __call__(self) -> Remote:
        self._before()
        self.made.append(FakeCluster())
        return Remote(self.made[-1], CLUSTER, FakeProgram())

    @property
    def closed(self) -> list[bool]:
        """Of each login, whether it has ended."""
        return [cluster.closed > 0 for cluster in self.made]


def _wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.01)


def test_one_login_is_made_however_often_it_begins() -> None:
    """And it is there when it is asked for, even if it takes its time."""
    go = threading.Event()
    counted = _Counted(before=go.wait)
    ahead = LoginAhead(counted)
    ahead.begin()
    ahead.begin()
    threading.Timer(0.3, go.set).start()
    assert ahead.take() is not None
    assert ahead.take() is None
    ahead.begin()
    ahead.close()
    assert counted.closed == [False]


def test_nothing_was_begun() -> None:
    """There is none, and nobody waits for it."""
    assert LoginAhead(_Counted()).take() is None


def test_a_login_that_does_not_work_is_none() -> None:
    """Whoever needs it tries again, and hears why."""

    def fail() -> Remote:
        raise Unreachable("no route")

    ahead = LoginAhead(fail)
    ahead.begin()
    assert ahead.take() is None


def test_a_login_that_nobody_takes_ends() -> None:
    """After a while, and the next one may begin; or when nobody wants it any more."""
    counted = _Counted()
    ahead = LoginAhead(counted, keep_s=0.05)
    ahead.begin()
    _wait_until(lambda: counted.closed == [True])
    _wait_until(lambda: ahead.take() is None)
    again = LoginAhead(counted)
    again.begin()
    _wait_until(lambda: len(counted.made) == 2)
    again.close()
    _wait_until(lambda: counted.closed == [True, True])
