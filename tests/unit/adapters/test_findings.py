"""What doctor found is kept on this machine, for a day."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from project.adapters.findings import GOES_BY_S, KeptFindings
from project.core.findings import Known, failure, warning
from project.core.messages import format_utc

if TYPE_CHECKING:
    from pathlib import Path

_FOUND = [
    failure("broken", "mend it")._replace(check="quota"),
    warning("no git", "", "missing")._replace(check="git"),
]


def test_what_was_found_last_is_kept_privately(tmp_path: Path) -> None:
    """The newest of each cluster, readable by nobody else; of others nothing is known."""
    kept = KeptFindings(tmp_path / "findings")
    kept.save_all({"nic5": [], "lemaitre": _FOUND[:1]})
    kept.save_all({"nic5": _FOUND})
    known = kept.load("nic5")
    assert (list(known.findings), known.fact("git")) == (_FOUND, "missing")
    assert list(kept.load("lemaitre").findings) == _FOUND[:1]
    assert kept.load("other") == Known()
    assert (tmp_path / "findings" / "nic5.json").stat().st_mode & 0o77 == 0


def test_nobody_goes_by_what_was_found_long_ago(tmp_path: Path) -> None:
    """What is a day old may have been mended; doctor looks again."""
    kept = KeptFindings(tmp_path)
    kept.save_all({"nic5": _FOUND})
    path = tmp_path / "nic5.json"
    document = json.loads(path.read_bytes())
    for age_s, is_known in ((GOES_BY_S - 100, True), (GOES_BY_S + 100, False)):
        path.write_text(json.dumps({**document, "at": format_utc(time.time() - age_s)}))
        assert bool(kept.load("nic5").findings) == is_known


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"at": "x", "findings": []}', '{"at": 1, "findings": [7]}'])
def test_a_file_that_is_broken_tells_nothing(tmp_path: Path, content: str) -> None:
    """It is written anew by the next look."""
    (tmp_path / "nic5.json").write_text(content)
    assert KeptFindings(tmp_path).load("nic5") == Known()
