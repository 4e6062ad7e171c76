"""Who logs in where: the cluster's document, the job file, and what the user's settings say for that cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.core.cluster import checked
from project.core.errors import UsageError
from project.core.findings import FILES, STREAM, nothing_known
from project.ports import Login

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from project.core.findings import Known


@dataclass(frozen=True)
class LoginChoice:
    """What the user's settings say.

    Attributes:
        clusters: per cluster name, those of config.CLUSTER_SETTINGS that are given.
        timeout_s: limit for a login node to answer as SSH.
        plain_http: whether tokens may travel unencrypted.
        known: what `doctor` found on a cluster, by its name.
    """

    clusters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    timeout_s: float = 6.0
    plain_http: bool = False
    known: Callable[[str], Known] = nothing_known

    def has_own_key(self, cluster: str) -> bool:
        """Whether the settings name a key for a cluster, which is then used instead of any other."""
        return bool(self.clusters.get(cluster, {}).get("private_key"))

    def own_python(self, cluster: str) -> str:
        """Return the interpreter that the settings name for a cluster, "" for none."""
        return str(self.clusters.get(cluster, {}).get("python") or "")


def login_for(cluster: Mapping[str, Any], user_input: Mapping[str, Any], choice: LoginChoice) -> Login:
    """Return the login to use.

    Raises:
        RegistryError: the cluster's document holds something that no cluster needs.
        UsageError: the settings name no port.
    """
    cluster = checked(cluster)
    own = choice.clusters.get(str(cluster["name"]), {})
    key = own.get("private_key") or user_input.get("private_key")
    return Login(
        host=str(cluster["hostname"]),
        port=_port(own.get("port") or cluster.get("port") or 22),
        username=str(own.get("username") or user_input["username"]),
        private_key=Path(key).expanduser() if key else None,
        passphrase=user_input.get("passphrase"),
        host_keys=tuple(cluster.get("host_keys") or ()),
        proxy_jump=str(cluster.get("proxy_jump") or ""),
        timeout_s=choice.timeout_s,
        has_sftp=choice.known(str(cluster["name"])).fact(FILES) != STREAM,
    )


def _port(given: Any) -> int:
    try:
        return int(given)
    except ValueError:
        raise UsageError(f"{given!r} is no SSH port", remedy="Write a number for `port` in your settings") from None
