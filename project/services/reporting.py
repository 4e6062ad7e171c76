"""Where a cluster sends its reports, and whether a token may travel there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from project.core.findings import REGISTRY, RELAY
from project.core.registry_address import is_loopback, objection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from project.services.logins import LoginChoice


class ReportWay(NamedTuple):
    """How a cluster reports.

    Attributes:
        url: where to, "" if it shall not.
        token: that can only report, "" if it shall not.
        plain_http: whether the user said that plain HTTP will do.
        obstacle: why it shall not report by itself, or will hardly be able to; "" if it shall and can.
    """

    url: str
    token: str
    plain_http: bool
    obstacle: str = ""


def report_way(credentials: Mapping[str, Any], cluster: Mapping[str, Any], choice: LoginChoice) -> ReportWay:
    """Return how a cluster shall report: to where the user's settings say, else the registry."""
    own = choice.clusters.get(str(cluster["name"]), {})
    url = str(own.get("registry_url") or credentials["url"])
    obstacle = objection(url, plain_http=choice.plain_http)
    if not obstacle and url.startswith("http:") and is_loopback(url) and not is_loopback(str(cluster["hostname"])):
        obstacle = f"{url} is not this machine for it, but its own login node, where anybody may listen"
    if obstacle:
        return ReportWay("", "", plain_http=False, obstacle=obstacle)
    known = choice.known(str(cluster["name"]))
    doubt = f"doctor found on {known.at[:10]} that it does not reach {url}" if known.fact(REGISTRY) == RELAY else ""
    return ReportWay(url, str(credentials["token"]), plain_http=choice.plain_http, obstacle=doubt)
