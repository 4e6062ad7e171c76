"""Looks at a cluster that the registry does not know yet: its host key, partitions, limits and kinds of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.cluster import DEFAULTS, checked
from project.core.errors import SchedulerUnavailable
from project.core.slurm.partitions import Partition, wanted_partition
from project.services.logins import LoginChoice, login_for
from project.services.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from project.ports import Connector, FarProgram, View

#: What stands for the name until Slurm has told it.
_UNNAMED = "new"


@dataclass(frozen=True)
class Scan:
    """What a look at a cluster has shown.

    Attributes:
        document: as the registry would have it.
        partitions: of its Slurm.
        limits: how much Slurm takes of one user at a time.
        status: how it is.
    """

    document: dict[str, Any]
    partitions: list[Partition]
    limits: dict[str, int]
    status: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Enroller:
    """Looks at clusters; every attribute is a port.

    Attributes:
        connector: one that asks the person about host keys nobody knows.
    """

    connector: Connector
    toolbox: FarProgram
    view: View
    logins: LoginChoice

    def scan(self, given: Mapping[str, Any], who: Mapping[str, Any]) -> Scan:
        """Log in and look; what is `given` of the document goes before what was seen.

        Args:
            given: keys of the document, `hostname` at least.
            who: `username`, and perhaps `private_key`.

        Raises:
            GridferryError: no login, no Python there, no answer of Slurm, or something that no cluster may have.
        """
        known = {"name": _UNNAMED, **DEFAULTS, **given}
        self.view.begin("connect")
        node = self.connector.connect(login_for(known, who, self.logins))
        remote = Remote(node, known, self.toolbox)
        try:
            remote.reach()
            self.view.begin("ask Slurm")
            told = self._told(remote)
            seen = {"name": told["cluster_name"] or _UNNAMED, "host_keys": [node.host_key]}
        finally:
            remote.close()
        partitions = [Partition(*(each[name] for name in Partition._fields)) for each in told["partitions"]]
        if wanted_partition(partitions, None) is None:
            seen["partition"] = next((each.name for each in partitions if each.is_up), "")
        self.view.end(str(seen["name"]))
        return Scan(checked({**known, **seen, **given}), partitions, dict(told["limits"]), dict(told["status"]))

    @staticmethod
    def _told(remote: Remote) -> Mapping[str, Any]:
        for event in remote.run("scan"):
            if event["event"] == "scan":
                return event
        raise SchedulerUnavailable("it did not say what it is like", remedy="Try again")
