"""Pages of docs/ with tables whose rows name their tests."""

from __future__ import annotations

import re
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
_NAMED = re.compile(r"`([\w/]+\.py|…)::(test_\w+)`")


def unkept_promises(page: str, heads: tuple[str, ...]) -> list[str]:
    """Return the rows of a page that name no test, and the tests they name that are not there.

    Args:
        page: its name in docs/.
        heads: first cells of tables' headings whose rows name tests.
    """
    rows = _rows((_TESTS.parent / "docs" / page).read_text(), heads)
    assert rows
    named = {test for row in rows for test in _tests_of(row)}
    missing = [f"{path}::{test}" for path, test in sorted(named) if f"def {test}(" not in _text(path)]
    return [row for row in rows if not _NAMED.search(row)] + missing


def _tests_of(row: str) -> list[tuple[str, str]]:
    """Return the tests that a row names, each by file and name; `…` stands for the file named before it."""
    found: list[tuple[str, str]] = []
    for path, test in _NAMED.findall(row):
        found.append((found[-1][0] if path == "…" else path, test))
    return found


def _rows(text: str, heads: tuple[str, ...]) -> list[str]:
    """Return the rows of the tables that begin with one of these."""
    rows: list[str] = []
    counts = False
    for line in text.splitlines():
        if not line.startswith("|"):
            counts = False
        elif line.startswith(tuple(f"| {head} |" for head in heads)):
            counts = True
        elif counts and not line.startswith("|--"):
            rows.append(line)
    return rows


def _text(path: str) -> str:
    file = _TESTS / path
    return file.read_text() if file.exists() else ""
