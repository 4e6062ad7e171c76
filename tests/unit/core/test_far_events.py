"""What login nodes tell: right lines are read, and no line breaks the client."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project import toolbox, wrapper
from project.core import errors
from project.core.errors import GridferryError, TransferFailed, Unreachable
from project.core.far_events import read_event
from project.core.slurm.partitions import Partition

_UUID = "3f2b1c0e-0000-4000-8000-000000000000"
_ENTRY = {"schema": 1, "job_uuid": _UUID, "seq": 3, "at": "t", "kind": "state", "body": {"state": "RUNNING"}}
_FILE = {"name": "a\udcff", "path": "/there/a", "size": 5, "sha256": "0" * 64, "executable": False, "task": ""}
_PARTITION = json.loads(json.dumps({**Partition("batch")._asdict(), "accounts": ["physics"], "max_time_s": 600}))
_STATUS = {"taken_at": "2026-11-20T10:00:00.000000Z", "nodes": [{"name": "n1", "cpus": {"idle": 4}}]}
_FORECAST = {"starts_in_s": 12.5, "nodes": "n1", "refusal": "", "partitions": [_PARTITION], "status": _STATUS}
_GOOD: list[dict[str, Any]] = [
    {"event": "output", "stage": "compilation", "line": "gcc: \x1b[31merror"},
    {"event": "entry", "entry": _ENTRY},
    {"event": "end", "slurm_job_id": "47"},
    {"event": "end", "ended": True, "state": "DONE", "outcome": None, "exit_code": "0:0"},
    {"event": "journal", "entries": [_ENTRY]},
    {"event": "manifest", "job_uuid": _UUID, "manifest": {"files": [_FILE], "missing": ["*.png"]}},
    {"event": "hash", "path": "/there/large", "sha256": "0" * 64},
    {"event": "hash", "path": "/there/gone", "sha256": ""},
    {"event": "tasks", "job_uuid": _UUID, "tasks": {"1": {"index": "1", "file": "a"}}, "modules": []},
    {"event": "limits", "array_tasks": 1001, "queued_tasks": 5000},
    {"event": "cancelled", "job_uuid": _UUID, "had_ended": "", "survivors": []},
    {"event": "text", "name": "x.out", "task": "", "stream": "out", "text": "words", "offset": 5},
    {"event": "beat"},
    {"event": "cleaned", "job_uuid": _UUID, "kept": "it is RUNNING", "freed_bytes": 0},
    {
        "event": "bundle",
        "job_uuid": _UUID,
        "sent": {"user_input": {}, "modules": [], "source": None},
        "files": [_FILE],
    },
    {"event": "standing", "state": "RUNNING"},
    {"event": "survival", "finding": {"proven": "daemon"}},
    {"event": "forecast", **_FORECAST},
    {"event": "finding", "finding": {"level": "ok", "text": "t", "remedy": "", "check": "git", "fact": ""}},
    {"event": "status", "status": _STATUS},
    {
        "event": "scan",
        "cluster_name": "nic5",
        "partitions": [_PARTITION],
        "limits": {"array_tasks": 1000, "queued_tasks": 5000},
        "status": _STATUS,
    },
    {"event": "clock", "now": "2026-11-20T10:00:00.000000Z"},
]


@pytest.mark.parametrize("event", _GOOD, ids=lambda event: event["event"])
def test_what_is_right_is_read(event: dict[str, Any]) -> None:
    """As the wrapper and the toolbox write it, with keys of other versions."""
    assert read_event(json.dumps(event)) == event
    assert read_event(json.dumps({**event, "new": 1})) == {**event, "new": 1}


def test_whatever_our_programs_say_there_is_known_here() -> None:
    """Each event that the wrapper or the toolbox sends is one of those above; an error stands apart."""
    folders = [Path(package.__path__[0]) for package in (wrapper, toolbox)]
    sources = [path.read_text() for folder in folders for path in folder.rglob("*.py")]
    sent = {name for source in sources for name in re.findall(r"\.send\(\s*\"(\w+)\"", source)}
    assert sent - {"error"} == {event["event"] for event in _GOOD}


@pytest.mark.parametrize(
    "line",
    [
        *("", "{", "[]", "7", "[" * 100_000, '{"event": 7}', '{"event": ["output"]}', '{"event": "selfdestruct"}'),
        *('{"event": "output"}', '{"event": "output", "line": 7}', '{"event": "end", "slurm_job_id": "47; id"}'),
        '{"event": "journal", "entries": [{"job_uuid": "x"}]}',
        '{"event": "limits", "array_tasks": 0, "queued_tasks": 1}',
        '{"event": "hash", "path": "/there/large", "sha256": "0"}',
        json.dumps({"event": "forecast", **_FORECAST, "partitions": [{"name": "batch"}]}),
        json.dumps({"event": "forecast", **_FORECAST, "status": {}}),
        '{"event": "error", "type": 7, "message": "x"}',
    ],
)
def test_what_makes_no_sense_is_no_answer(line: str) -> None:
    """It may be better another time, and nothing of it is used."""
    with pytest.raises(Unreachable, match="makes no sense"):
        read_event(line)


@pytest.mark.parametrize("wrong", [{"size": -1}, {"size": "5"}, {"size": 1e400}, {"sha256": "x"}, {"name": None}])
def test_a_manifest_is_right_as_a_whole_or_no_answer(wrong: dict[str, Any]) -> None:
    """Sizes and hashes are what the download is checked by."""
    manifest = {"files": [{**_FILE, **wrong}], "missing": []}
    with pytest.raises(Unreachable):
        read_event(json.dumps({"event": "manifest", "job_uuid": _UUID, "manifest": manifest}))


def test_an_error_is_the_one_of_the_tree() -> None:
    """With its words, and its exit code."""
    told = {"event": "error", "type": "TransferFailed", "message": "no space", "remedy": "make room", "detail": "x"}
    with pytest.raises(TransferFailed) as raised:
        read_event(json.dumps(told))
    assert (raised.value.message, raised.value.remedy, raised.value.detail) == ("no space", "make room", "x")


@given(st.sampled_from(dir(errors)) | st.text())
def test_no_name_of_an_error_breaks_the_client(name: str) -> None:
    """Neither a module, nor a function, nor a class that is no error of ours."""
    with pytest.raises(GridferryError) as raised:
        read_event(json.dumps({"event": "error", "type": name, "message": "m"}))
    assert isinstance(raised.value.exit_code, int)
    assert raised.value.message


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(_GOOD), st.data())
def test_no_value_breaks_the_client(event: dict[str, Any], data: st.DataObject) -> None:
    """Any value in any place: it is read, or it is an error of the tree."""
    changed = {**event, data.draw(st.sampled_from(sorted(event))): data.draw(_JSON)}
    with contextlib.suppress(GridferryError):
        read_event(json.dumps(changed))
