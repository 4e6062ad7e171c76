"""docs/reliability.md names a test for each fault, and each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
_PAGE = _TESTS.parent / "docs" / "reliability.md"
_NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def _rows() -> list[str]:
    lines = _PAGE.read_text().splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith("| fault ")]


def test_every_fault_has_a_test_that_is_there() -> None:
    """A row without a test, or with one that was renamed, is a promise nobody keeps."""
    missing = [row for row in _rows() if not _NAMED.search(row)]
    named = {found.groups() for row in _rows() for found in _NAMED.finditer(row)}
    missing += [f"{path}::{test}" for path, test in sorted(named) if f"def {test}(" not in _text(path)]
    assert named
    assert missing == []


def _text(path: str) -> str:
    file = _TESTS / path
    return file.read_text() if file.exists() else ""
