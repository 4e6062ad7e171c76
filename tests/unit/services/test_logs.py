"""Reading what a job prints, over connections that break."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import TransferFailed, Unreachable
from project.services.far_side import FarSide
from project.services.logins import LoginChoice
from project.services.logs import LogEnd, LogReader, LogWish
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
    from project.core.errors import GridferryError
    from project.ports import LogText

_END = {"event": "end", "ended": True, "state": "DONE", "outcome": "FAILED", "exit_code": "3:0"}


def _text(text: str, offset: int, task: str = "") -> dict[str, Any]:
    return {
        "event": "text",
        "name": f"slurm-1{task}.out",
        "task": task,
        "stream": "out",
        "text": text,
        "offset": offset,
    }


class _Reading:
    """A reader whose every port is at hand."""

    def __init__(self, *events: dict[str, Any] | GridferryError) -> None:
        self.cluster, self.view, self.clock = FakeCluster(), ListeningView(), QuickClock()
        self.cluster.events["logs"] = list(events)
        self.cluster.says_once = True
        self.got: list[LogText] = []

    def read(self, **wish: Any) -> LogEnd:
        """Read until the end."""
        far_side = FarSide(
            connector=self.cluster,
            records=FakeRecords({"private_key": None}),
            toolbox=FakeProgram(),
            prompter=Person(),
            view=self.view,
            logins=LoginChoice(),
        )
        registry = FakeRegistry({"state": "RUNNING"})
        reader = LogReader(registry=registry, far_side=far_side, view=self.view, clock=self.clock)
        return reader.read(UUID, LogWish(**wish), {}, self.got.append)

    @property
    def request(self) -> dict[str, Any]:
        """What the cluster was asked last."""
        assert self.cluster.words[0] == UUID
        return dict(json.loads(self.cluster.words[1]))


def test_pieces_come_as_bytes_and_the_end_says_how_it_went() -> None:
    """Whatever bytes they are."""
    reading = _Reading(_text("a\udcff", 2), {"event": "beat"}, _text("é\n", 5), _END)
    assert reading.read() == LogEnd(ended=True, state="DONE", outcome="FAILED", exit_code="3:0")
    assert b"".join(text.data for text in reading.got) == b"a\xff\xc3\xa9\n"
    assert reading.cluster.closed == 1


def test_a_lost_connection_goes_on_where_it_broke() -> None:
    """Each file at its own place; the waits grow until something comes again."""
    lost = Unreachable("the connection broke.")
    reading = _Reading(
        _text("one\n", 4, "_1"), _text("uno\n", 4, "_2"), lost, lost, _text("two\n", 8, "_1"), lost, _END
    )
    reading.read(follow=True, tasks="1-2")
    assert [text.data for text in reading.got] == [b"one\n", b"uno\n", b"two\n"]
    assert reading.request["offsets"] == {"slurm-1_1.out": 8, "slurm-1_2.out": 4}
    assert reading.clock.waits_s == [1.0, 2.0, 1.0]
    assert "Ctrl-C ends it, and not the job" in reading.view.said[0]


def test_a_far_side_that_falls_silent_is_a_lost_connection() -> None:
    """It was ended there without a word."""
    reading = _Reading(_text("one\n", 4))
    with pytest.raises(Unreachable, match="stopped telling"):
        reading.read()
    assert reading.cluster.closed == 1


@pytest.mark.parametrize("error", [Unreachable("away"), TransferFailed("nothing is left")])
def test_without_following_an_error_is_the_end(error: GridferryError) -> None:
    """And an error that is no lost connection always is."""
    reading = _Reading(error)
    with pytest.raises(type(error)):
        reading.read(follow=isinstance(error, TransferFailed))
