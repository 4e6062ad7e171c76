"""What of ours outlives a login on a cluster: proven by two logins, and remembered there for all that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.errors import Unreachable
from project.services.logins import LoginChoice, login_for
from project.services.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from project.ports import Clock, Connector, FarProgram

#: After a login's end a site may take this long to end what it left: systemd gives a user's last processes 10 s
#: (UserStopDelaySec, logind.conf(5)).
SETTLE_S = 15.0


@dataclass(frozen=True)
class Finding:
    """What outlives a login.

    Attributes:
        mode: "daemon", "systemd" or, where nothing does, "slurm"; "" while that is not known.
        at: when it was proven (UTC); "" while it is not.
        host: the login node on which.
    """

    mode: str = ""
    at: str = ""
    host: str = ""


@dataclass(frozen=True, kw_only=True)
class Survival:
    """Finds out; every attribute is a port."""

    connector: Connector
    toolbox: FarProgram
    clock: Clock
    logins: LoginChoice

    def prove(self, cluster: Mapping[str, Any], user_input: Mapping[str, Any], *, anew: bool = False) -> Finding:
        """Return what outlives a login; logs in once where that is known, else a second time after a while.

        Args:
            cluster: its document.
            user_input: `username`, and perhaps `private_key` and `passphrase`.
            anew: forget what is known first.

        Raises:
            GridferryError: no login, or no Python there.
            Unreachable: the cluster gave no answer.
        """
        found = self._ask(cluster, user_input, *(["anew"] if anew else []))
        if not found.mode:
            self.clock.sleep(SETTLE_S)
            found = self._ask(cluster, user_input)
        return found

    def _ask(self, cluster: Mapping[str, Any], user_input: Mapping[str, Any], *words: str) -> Finding:
        """Log in, let the cluster judge what an earlier login began, or begin; log out."""
        node = self.connector.connect(login_for(cluster, user_input, self.logins))
        remote = Remote(node, cluster, self.toolbox, own_python=self.logins.own_python(str(cluster["name"])))
        try:
            remote.reach()
            for event in remote.run("survival", *words):
                known = event["finding"]
                return Finding(*(str(known.get(key, "")) for key in ("proven", "at", "host")))
        finally:
            remote.close()
        raise Unreachable(f"{cluster['name']} did not say what outlives a login there", remedy="Try again")
