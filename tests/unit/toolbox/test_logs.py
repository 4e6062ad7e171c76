"""The far side of `logs`: texts by byte offset, until the job has ended."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import UsageError
from project.core.layout import ClusterPaths
from project.core.messages import LINE_PREFIX, state_body
from project.toolbox.logs import LogRequest, send_logs
from project.wrapper import files
from project.wrapper.events import Events
from project.wrapper.job import Job, open_job
from tests.fakes.clock import QuickClock
from tests.unit.services.ports import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST = {"username": "x", "user_mail": "x@example.org", "destination_cluster": "x", "execution": ["true"]}


class _Clock(QuickClock):
    """Does something new in each wait."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__()
        self._steps = list(steps)

    def sleep(self, seconds: float) -> None:
        """Wait, and do the next thing."""
        super().sleep(seconds)
        self._steps.pop(0)()


class Far:
    """A job's folder on a cluster."""

    def __init__(self, folder: Path, **resources: Any) -> None:
        self._cluster = ClusterPaths(str(folder / "gridferry"))
        paths = self._cluster.job(UUID)
        for made in (paths.journal, paths.control):
            files.make_folder(made)
        user_input = {**_LEAST, "resources": resources}
        files.replace_json(paths.spec, {"user_input": user_input, "cluster": {"name": "x"}, "modules": []})
        self.folder = Path(paths.directory)
        self._sent = folder / "events"

    @property
    def job(self) -> Job:
        """The job, read anew."""
        return open_job(self._cluster, UUID, QuickClock())

    def write(self, name: str, data: bytes) -> None:
        """Add to an output file."""
        with (self.folder / name).open("ab") as stream:
            stream.write(data)

    def enter(self, state: str, **body: Any) -> None:
        """Journal a state."""
        self.job.journal.append("state", state_body(state, **body))

    def submitted(self) -> None:
        """Slurm has the job."""
        files.replace(self.job.paths.slurm_job_id, b"47")
        self.enter("RUNNING")

    def ask(self, *steps: Callable[[], object], **asked: Any) -> list[dict[str, Any]]:
        """Return the events that are sent, one of `steps` being done in each wait."""
        usual: dict[str, Any] = {"streams": ["out"], "tasks": "", "follow": False, "last_lines": -1, "offsets": {}}
        descriptor = os.open(self._sent, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            send_logs(self.job, LogRequest(**{**usual, **asked}), Events(descriptor), _Clock(*steps))
        finally:
            os.close(descriptor)
        return [json.loads(line.removeprefix(LINE_PREFIX)) for line in self._sent.read_text().splitlines()]

    def texts(self, *steps: Callable[[], object], **asked: Any) -> list[tuple[str, str, int]]:
        """Return name, text and offset of each piece."""
        return [(e["name"], e["text"], e["offset"]) for e in self.ask(*steps, **asked) if e["event"] == "text"]


@pytest.fixture
def far(tmp_path: Path) -> Far:
    """A plain job."""
    return Far(tmp_path)


def test_what_is_there_is_sent_with_how_the_job_stands(far: Far) -> None:
    """Without following, once; before Slurm has the job there is nothing."""
    assert [event["event"] for event in far.ask()] == ["end"]
    far.submitted()
    far.write("slurm-47.out", b"one\n\xff")
    far.write("slurm-47.err", b"oops\n")
    standing, text, end = far.ask()
    assert standing == {"event": "standing", "state": "RUNNING"}
    assert (text["text"], text["offset"], text["stream"], text["task"]) == ("one\n\udcff", 5, "out", "")
    assert end == {"event": "end", "ended": False, "state": "RUNNING", "outcome": None, "exit_code": ""}
    assert [name for name, _, _ in far.texts(streams=["out", "err"])] == ["slurm-47.out", "slurm-47.err"]


def test_following_goes_on_until_the_job_has_ended(far: Far) -> None:
    """From before it is in the queue to the last word, whatever came between two looks; the end says how it went."""

    def fail() -> None:
        far.write("slurm-47.out", b"last")
        far.enter("FAILED", exit_code="3:0")

    steps = [far.submitted, lambda: far.write("slurm-47.out", b"one\n"), lambda: None, fail]
    events = far.ask(*steps, follow=True)
    assert [event["text"] for event in events if event["event"] == "text"] == ["one\n", "last"]
    assert events[-1] == {"event": "end", "ended": True, "state": "FAILED", "outcome": "FAILED", "exit_code": "3:0"}


def test_a_requeued_job_has_not_ended(far: Far) -> None:
    """It runs again, and its file begins anew."""
    far.submitted()
    far.write("slurm-47.out", b"first run\n")
    far.enter("NODE_FAIL")
    far.enter("PENDING")

    def run_again() -> None:
        (far.folder / "slurm-47.out").write_bytes(b"again\n")
        far.enter("COMPLETED")

    assert far.texts(run_again, follow=True) == [("slurm-47.out", "first run\n", 10), ("slurm-47.out", "again\n", 6)]


def test_a_reader_goes_on_where_it_was(far: Far) -> None:
    """By byte, and never in the middle of nothing."""
    far.submitted()
    far.write("slurm-47.out", "äöü\n".encode())
    assert far.texts(offsets={"slurm-47.out": 4}) == [("slurm-47.out", "ü\n", 7)]
    assert far.texts(offsets={"slurm-47.out": 7}) == []


@pytest.mark.parametrize(
    ("content", "lines", "sent"),
    [
        (b"1\n2\n3\n", 2, "2\n3\n"),
        (b"1\n2\n3", 2, "2\n3"),
        (b"1\n2\n", 9, "1\n2\n"),
        (b"1\n", 0, ""),
        (b"", 3, ""),
        (b"x" * 40_000 + b"\n" + b"y" * 40_000 + b"\n", 1, "y" * 40_000 + "\n"),
    ],
)
def test_only_the_last_lines(far: Far, content: bytes, lines: int, sent: str) -> None:
    """Of what is there already, however long its lines are."""
    far.submitted()
    far.write("slurm-47.out", content)
    assert "".join(text for _, text, _ in far.texts(last_lines=lines)) == sent


def test_tasks_of_an_array(tmp_path: Path) -> None:
    """All, or those asked for; a task the array has not, a plain job's task and too many are refused."""
    far = Far(tmp_path, nbr_jobs_in_array=300)
    far.submitted()
    for task in (1, 2, 3):
        far.write(f"slurm-47_{task}.out", f"{task}\n".encode())
    assert [text for _, text, _ in far.texts(tasks="2-3")] == ["2\n", "3\n"]
    with pytest.raises(UsageError, match="the job has no task 301") as caught:
        far.ask(tasks="300-302")
    assert "1-300" in caught.value.remedy
    with pytest.raises(UsageError, match="these are 300 tasks"):
        far.ask()
    with pytest.raises(UsageError, match="is no array"):
        Far(tmp_path / "plain").ask(tasks="1")


def test_nobody_is_followed_for_a_reader_that_has_gone(far: Far) -> None:
    """It is noticed at the next word, which comes every ten seconds at least."""
    far.submitted()
    reading, writing = os.pipe()
    os.close(reading)
    clock = _Clock(*[lambda: None] * 100)
    send_logs(far.job, LogRequest(["out"], "", follow=True, last_lines=-1, offsets={}), Events(writing), clock)
    os.close(writing)
    assert sum(clock.waits_s) < 12
