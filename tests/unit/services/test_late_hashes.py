"""Hashes that come while the files are on their way."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import TransferFailed
from project.services.late_hashes import LateHashes
from tests.unit.services.fetching import ENDED, Fetch
from tests.unit.services.ports import FakeRegistry

if TYPE_CHECKING:
    from pathlib import Path


def _hash_of(name: str) -> dict[str, str]:
    """What the cluster tells of a file that holds its own name."""
    return {"event": "hash", "path": f"/there/{name}", "sha256": hashlib.sha256(name.encode()).hexdigest()}


def test_they_are_told_by_path_and_only_as_far_as_needed() -> None:
    """Each is known from then on; one that never comes is none."""
    events = iter([_hash_of("a"), {"event": "beat"}, _hash_of("b"), _hash_of("c")])
    late = LateHashes(events)
    assert late("/there/b") == _hash_of("b")["sha256"]
    assert next(events) == _hash_of("c")
    assert late("/there/a") == _hash_of("a")["sha256"]
    assert late("/there/d") == ""


def _later(*names: str) -> Fetch:
    """A fetch of files whose hashes the cluster tells after the list."""
    fetch = Fetch(FakeRegistry(ENDED), *names)
    listed: list[Any] = fetch.cluster.events["manifest"]
    for entry in listed[0]["manifest"]["files"]:
        entry["sha256"] = ""
    listed += [_hash_of(name) for name in reversed(names)]
    return fetch


def test_what_is_here_already_is_compared_with_them(tmp_path: Path) -> None:
    """The same content is not fetched again; something else is in the way."""
    (tmp_path / "same").write_text("same")
    fetch = _later("same", "new")
    del fetch.cluster.files["/there/same"]
    assert sorted(fetch.run(tmp_path).files) == ["new", "same"]
    assert _later("same", "new").run(tmp_path).files
    (tmp_path / "new").write_text("edited here")
    with pytest.raises(TransferFailed, match="1 of 2 files"):
        _later("same", "new").run(tmp_path)
