"""Jobs page by page."""

from __future__ import annotations

import pytest

from project.services.listing import list_jobs
from tests.unit.services.ports import FakeRegistry


def _registry(number: int) -> FakeRegistry:
    registry = FakeRegistry()
    registry.listed = [{"job_uuid": f"{n:08d}"} for n in range(number)]
    return registry


@pytest.mark.parametrize(("number", "limit", "got", "more"), [(3, 5, 3, False), (5, 5, 5, False), (6, 5, 5, True)])
def test_as_many_as_asked_for(number: int, limit: int, got: int, more: bool) -> None:
    """And whether there are older ones."""
    page = list_jobs(_registry(number), {"state": "", "cluster": "nic5"}, limit)
    assert (len(page.jobs), page.more) == (got, more)


def test_all_of_them_come_in_pages() -> None:
    """Each page begins after the last job of the one before; what asks for nothing is left out."""
    registry = _registry(1200)
    page = list_jobs(registry, {"state": "", "cluster": "nic5"}, None)
    assert [job["job_uuid"] for job in page.jobs] == [job["job_uuid"] for job in registry.listed]
    assert [asked.get("after") for asked in registry.asked] == [None, "00000499", "00000999"]
    assert all(asked["cluster"] == "nic5" and "state" not in asked for asked in registry.asked)
