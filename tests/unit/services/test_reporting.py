"""Where a cluster reports, and when it shall not."""

from __future__ import annotations

import pytest

from project.core.findings import REGISTRY, RELAY, Known, warning
from project.services.logins import LoginChoice
from project.services.reporting import ReportWay, report_way

_HERE, _THERE = {"name": "demo", "hostname": "127.0.0.1"}, {"name": "nic5", "hostname": "nic5.example.org"}
_HTTPS, _PLAIN, _LOOPBACK = "https://grid.example.org", "http://grid.example.org", "http://127.0.0.1:7676"


@pytest.mark.parametrize(
    ("url", "cluster", "plain_http", "reports"),
    [
        (_HTTPS, _THERE, False, True),
        (_PLAIN, _THERE, False, False),
        (_PLAIN, _THERE, True, True),
        (_LOOPBACK, _HERE, False, True),
        (_LOOPBACK, _THERE, False, False),
        (_LOOPBACK, _THERE, True, False),
        ("file:///etc/passwd", _THERE, True, False),
    ],
)
def test_a_cluster_reports_where_its_token_is_safe(
    url: str, cluster: dict[str, str], *, plain_http: bool, reports: bool
) -> None:
    """This machine's loopback address is another machine's there: whoever listens on it would get the token."""
    way = report_way({"url": url, "token": "t"}, cluster, LoginChoice(plain_http=plain_http))
    assert (way.url, way.token) == ((url, "t") if reports else ("", ""))
    assert bool(way.obstacle) != reports


def test_what_doctor_found_of_the_way_is_told() -> None:
    """The cluster gets what it needs to report all the same: the way may be open again by the time it does."""
    blocked = warning("cannot be reached", "r", RELAY)._replace(check=REGISTRY)
    choice = LoginChoice(known=lambda _: Known("2026-11-20T10:00:00.000000Z", [blocked]))
    way = report_way({"url": _HTTPS, "token": "t"}, _THERE, choice)
    assert (way.url, way.token) == (_HTTPS, "t")
    assert way.obstacle == f"doctor found on 2026-11-20 that it does not reach {_HTTPS}"


def test_the_users_settings_go_first() -> None:
    """They know where this cluster reaches the registry; they are held to the same rules."""
    choice = LoginChoice({"nic5": {"registry_url": _HTTPS}})
    assert report_way({"url": _PLAIN, "token": "t"}, _THERE, choice) == ReportWay(_HTTPS, "t", plain_http=False)
    assert report_way({"url": _HTTPS, "token": "t"}, _THERE, LoginChoice({"nic5": {"registry_url": _PLAIN}})).obstacle
