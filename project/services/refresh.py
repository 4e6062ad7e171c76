"""Asks clusters how they are, all at once, and tells the registry, so that everybody sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.errors import GridferryError, SchedulerUnavailable
from project.services.at_once import at_once
from project.services.logins import LoginChoice, login_for
from project.services.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from project.ports import Connector, FarProgram, Registry, View
    from project.services.select_cluster import Cluster

#: A cluster that has not said how it is by then keeps the status it had.
LIMIT_S = 45.0


@dataclass(frozen=True, kw_only=True)
class Refresher:
    """Asks clusters; every attribute is a port.

    Attributes:
        connector: one that asks nobody, since several are asked at a time.
    """

    connector: Connector
    registry: Registry
    toolbox: FarProgram
    view: View
    logins: LoginChoice

    def refresh(self, clusters: Sequence[Cluster], who: Callable[[str], Mapping[str, Any]]) -> dict[str, str]:
        """Ask these clusters and tell the registry; return what went wrong, by cluster.

        Args:
            clusters: to ask.
            who: returns who the user is on a cluster, as `login_for` wants it.
        """
        self.view.begin("ask the clusters")
        said = at_once(lambda cluster: self._refresh(cluster, who), clusters, LIMIT_S)
        late = f"it did not answer within {LIMIT_S:.0f} s"
        told = {
            str(c["name"]): late if trouble is None else trouble for c, trouble in zip(clusters, said, strict=True)
        }
        troubles = {name: trouble for name, trouble in told.items() if trouble}
        self.view.end(f"{len(clusters) - len(troubles)} of {len(clusters)} answered")
        return troubles

    def _refresh(self, cluster: Cluster, who: Callable[[str], Mapping[str, Any]]) -> str:
        """Ask one cluster; return what went wrong, "" if nothing did."""
        name = str(cluster["name"])
        try:
            node = self.connector.connect(login_for(cluster, who(name), self.logins))
            remote = Remote(node, cluster, self.toolbox, own_python=self.logins.own_python(name))
            try:
                remote.reach()
                self.registry.put_status(name, self._status(remote))
            finally:
                remote.close()
        except GridferryError as error:
            return error.message
        return ""

    @staticmethod
    def _status(remote: Remote) -> dict[str, Any]:
        for event in remote.run("status"):
            if event["event"] == "status":
                return dict(event["status"])
        raise SchedulerUnavailable("it did not say how it is")
