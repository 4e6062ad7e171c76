"""Things done at the same time."""

from __future__ import annotations

import threading

import pytest

from project.wrapper.together import together


def test_results_come_in_order_of_work_that_goes_on_at_the_same_time() -> None:
    """Each waits for the other: done one after the other, neither would end."""
    both = threading.Barrier(2, timeout=30)

    def work(name: str) -> str:
        both.wait()
        return name

    assert together([lambda: work("one"), lambda: work("two")]) == ["one", "two"]
    assert together([]) == []


def test_an_error_is_raised_where_the_results_are_waited_for() -> None:
    """It is not lost in its thread."""

    def fail() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        together([lambda: 1, fail])
