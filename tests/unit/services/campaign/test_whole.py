"""What a UUID stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.services.campaign.whole import campaigns_among, whole
from tests.unit.services.ports import FakeRegistry

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST, _SECOND, _PLAIN = (f"3f2b000{number}-0000-4000-8000-000000000000" for number in range(3))


class _Registry(FakeRegistry):
    """Lists the campaign, the newest part first, and a plain job."""

    def __init__(self) -> None:
        super().__init__()
        campaign = {"uuid": _FIRST, "indexes": "1"}
        self.listed = [
            {"job_uuid": _SECOND, "campaign": campaign},
            {"job_uuid": _FIRST, "campaign": campaign},
            {"job_uuid": _PLAIN, "campaign": None},
        ]

    def jobs(self, **wanted: str) -> list[dict[str, Any]]:
        """Those of a campaign."""
        assert wanted["campaign"] == _FIRST
        return self.listed[:2]


def _whole(*uuids: str) -> Sequence[str]:
    return whole(_Registry(), uuids)


def test_a_campaigns_uuid_stands_for_all_parts() -> None:
    """In the order of their creation, each once; a later part, and any other job, for itself."""
    assert _whole(_PLAIN, _FIRST) == [_PLAIN, _FIRST, _SECOND]
    assert _whole(_SECOND, _FIRST) == [_SECOND, _FIRST]
    assert _whole(_SECOND) == [_SECOND]
    assert _whole() == []
    assert campaigns_among(_Registry(), [_SECOND, _FIRST, _PLAIN]) == [_FIRST]
