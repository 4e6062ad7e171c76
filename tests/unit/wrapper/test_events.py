"""What the client is told while it listens, and that the work goes on when it does not."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from project.core.errors import ExitCode, GridferryError, StageFailed
from project.core.messages import LINE_PREFIX
from project.core.problems import InvalidDocument, Problem
from project.wrapper import events
from project.wrapper.events import Events
from tests.contract.processes import poll

_ROOT = Path(__file__).resolve().parents[3]
_PIPE_BYTES = 4096

_DETACHED = """
import os, sys, time
from project.wrapper.detach import detach
from project.wrapper.events import Events

def work(descriptor):
    told = Events(descriptor)
    print("printed by the work")
    for number in range(int(sys.argv[2])):
        told.output("compilation", f"line {number} " + "x" * 1000)
    open(sys.argv[1] + "/done", "w").close()
    if sys.argv[3] == "fail":
        raise RuntimeError("something unforeseen")
    return 7

raise SystemExit(detach(work, log=sys.argv[1] + "/log"))
"""


def _read(descriptor: int) -> list[dict[str, Any]]:
    lines = os.read(descriptor, 1 << 20).decode().splitlines()
    assert all(line.startswith(LINE_PREFIX) for line in lines)
    return [json.loads(line[len(LINE_PREFIX) :]) for line in lines]


def test_each_event_is_one_line() -> None:
    """Journal entries, lines of the user's programs, the end and an error, whatever characters they hold."""
    reading, writing = os.pipe()
    told = Events(writing)
    told.entry({"seq": 1})
    told.output("compilation", "two\nlines \udcff é")
    told.end(slurm_job_id="41")
    told.error(StageFailed("it failed", remedy="look", detail="tail"))
    assert _read(reading) == [
        {"event": "entry", "entry": {"seq": 1}},
        {"event": "output", "stage": "compilation", "line": "two\nlines \udcff é"},
        {"event": "end", "slurm_job_id": "41"},
        {"event": "error", "type": "StageFailed", "message": "it failed", "remedy": "look", "detail": "tail"},
    ]
    for descriptor in (reading, writing):
        os.close(descriptor)


def test_an_error_is_named_by_the_tree_both_sides_know() -> None:
    """A subclass that only the far side has goes under the name of its base, so that the exit code is kept."""
    reading, writing = os.pipe()
    Events(writing).error(InvalidDocument("job.yml", [Problem("a", "b", "c")]))
    Events(writing).error(GridferryError("x"))
    assert [event["type"] for event in _read(reading)] == ["InvalidInput", "GridferryError"]
    for descriptor in (reading, writing):
        os.close(descriptor)


def test_a_reader_that_has_gone_is_no_error() -> None:
    """The first line that cannot be written ends the telling, not the work."""
    reading, writing = os.pipe()
    os.close(reading)
    told = Events(writing)
    for _ in range(3):
        told.output("compilation", "a line")
    os.close(writing)


def test_a_reader_that_takes_nothing_is_not_waited_for_twice() -> None:
    """A connection that hangs costs the patience once; after that lines go nowhere."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    told = Events(writing, patience_s=0.2)
    began = time.monotonic()
    for _ in range(50):
        told.output("compilation", "x" * _PIPE_BYTES)
    assert 0.2 <= time.monotonic() - began < 5
    assert events.PATIENCE_S > 5
    for descriptor in (reading, writing):
        os.close(descriptor)


def _detached(folder: Path, lines: int, how: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-I", "-c", f"import sys\nsys.path.insert(0, {str(_ROOT)!r})\n{_DETACHED}"]
    return subprocess.Popen([*argv, str(folder), str(lines), how], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_what_the_work_tells_comes_through(tmp_path: Path) -> None:
    """All lines arrive, the exit code is the work's, and what it prints otherwise is in the log."""
    with _detached(tmp_path, 500, "well") as process:
        printed, complaints = process.communicate(timeout=30)
    assert process.returncode == 7, complaints
    assert len(printed.decode().splitlines()) == 500
    assert (tmp_path / "log").read_text() == "printed by the work\n"


def test_the_work_goes_on_when_the_connection_is_lost(tmp_path: Path) -> None:
    """The process the login started is killed in the middle of a line; the work comes to its end."""
    with _detached(tmp_path, 2000, "well") as process:
        assert process.stdout is not None
        process.stdout.read(5000)
        process.kill()
    poll((tmp_path / "done").exists, "the work is done")


def test_a_crash_of_the_work_is_in_the_log(tmp_path: Path) -> None:
    """Nobody listens to it any more, but somebody may look."""
    with _detached(tmp_path, 1, "fail") as process:
        process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERNAL
    assert "RuntimeError: something unforeseen" in (tmp_path / "log").read_text()
