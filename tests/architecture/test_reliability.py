"""docs/reliability.md and docs/security.md name a test for each fault and each attempt, and all of them are there."""

from __future__ import annotations

import pytest

from tests.architecture.named_tests import unkept_promises


@pytest.mark.parametrize(("page", "heads"), [("reliability.md", ("fault",)), ("security.md", ("attempt",))])
def test_every_row_has_a_test_that_is_there(page: str, heads: tuple[str, ...]) -> None:
    """A row without a test, or with one that was renamed, is a promise nobody keeps."""
    assert unkept_promises(page, heads) == []
