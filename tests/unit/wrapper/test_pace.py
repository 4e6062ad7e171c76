"""How often the scheduler is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.wrapper.follow.pace import (
    LONGEST_S,
    LONGEST_WHEN_YOUNG_S,
    SHORTEST_S,
    Haste,
    backoff_s,
    interval_s,
    look_s,
    waits_s,
)


@pytest.mark.parametrize(
    ("age_s", "latency_s", "wait_s"),
    [
        (0, 0, SHORTEST_S),
        (100, 0, 10),
        (0, 0.5, 10),
        (0, 1, LONGEST_WHEN_YOUNG_S),
        (59, 60, LONGEST_WHEN_YOUNG_S),
        (60, 1, 20),
        (100, 1, 20),
        (1e6, 0, LONGEST_S),
        (60, 60, LONGEST_S),
    ],
)
def test_the_wait_grows_with_quiet_and_with_load(age_s: float, latency_s: float, wait_s: float) -> None:
    """Soon after a change, seldom when nothing happens, and at most a twentieth of the time in queries."""
    assert interval_s(age_s, latency_s) == wait_s


@given(st.floats(0, 1e9), st.floats(0, 1e4))
def test_a_change_is_always_noticed_in_time(age_s: float, latency_s: float) -> None:
    """Never more often than every two seconds, and often enough for a mail within a minute."""
    assert SHORTEST_S <= interval_s(age_s, latency_s) <= LONGEST_S < 60


@given(st.floats(0, 20), st.floats(0, 1e4))
def test_what_is_new_is_looked_at_twice_more_within_a_minute(age_s: float, latency_s: float) -> None:
    """However slow the scheduler: a reason it gives only on second thought is still told within the minute."""
    second = age_s + interval_s(age_s, latency_s)
    assert second + interval_s(second, latency_s) <= 45


@pytest.mark.parametrize(("latency_s", "wait_s"), [(0.0, 0.0), (0.2, 1.0), (2.0, 10.0), (600.0, 12.0)])
def test_jobs_that_end_all_the_time_leave_the_scheduler_its_rest(latency_s: float, wait_s: float) -> None:
    """What the disk shows hastens a question, but of all time at most a sixth is spent in them."""
    assert waits_s(30.0, latency_s)[Haste.TURN] == pytest.approx(min(wait_s, interval_s(30.0, latency_s)))


@pytest.mark.parametrize(("latency_s", "wait_s"), [(0.0, 2.0), (0.2, 4.0), (2.0, 40.0)])
def test_of_many_tasks_one_always_ends(latency_s: float, wait_s: float) -> None:
    """So that hastens a question only as far as a twentieth of the time allows."""
    assert waits_s(1e6, latency_s)[Haste.SOME] == pytest.approx(wait_s)


def test_failures_are_met_with_patience() -> None:
    """The wait doubles up to a minute and stays there, however long the registry is away."""
    waits = [backoff_s(failures) for failures in range(1, 2000)]
    assert waits[:3] == [1.0, 2.0, 4.0]
    assert waits == sorted(waits)
    assert waits[-1] == 60.0


@pytest.mark.parametrize(
    ("jobs", "marks", "age_s", "wait_s"),
    [
        (1, 2, 0.0, 0.1),
        (1, 2, 6.0, 0.3),
        (1, 2, 3600.0, 0.5),
        (200, 0, 0.0, 2.0),
        (10, 20_000, 0.0, 2.1),
        (9999, 0, 0.0, 10.0),
    ],
)
def test_the_disk_is_looked_at_as_often_as_it_bears(jobs: int, marks: int, age_s: float, wait_s: float) -> None:
    """Ten times a second while something has just changed; with very much to look at, seldom."""
    assert look_s(jobs, marks, age_s) == pytest.approx(wait_s)
