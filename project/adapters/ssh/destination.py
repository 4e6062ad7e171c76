"""Where a login leads: what the user's ssh_config makes of a host name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

#: What ssh_config may put into a command line (%h, %r), and so must not hold a shell's special characters.
_HOST = re.compile(r"[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*")
_USER = re.compile(r"[^\s\x00-\x1f\x7f'\"`$;&<>|(){}\\-][^\s\x00-\x1f\x7f'\"`$;&<>|(){}\\]*")
MOST_PORT = 65535
_HOP = re.compile(r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?/?")


@dataclass(frozen=True)
class Hop:
    """A host to log in at, as a person writes it: "user@host:port", user and port perhaps left out.

    Attributes:
        host: name or address, perhaps an alias of ssh_config.
        port: TCP port, or None.
        username: account, or "".
    """

    host: str
    port: int | None = None
    username: str = ""

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host) or (self.username and not _USER.fullmatch(self.username)):
            raise UsageError(
                f"'{self.username}@{self.host}' is no account on a host.",
                "Give a plain host name and account name, without spaces or special characters.",
            )

    @classmethod
    def parse_all(cls, text: str) -> list[Hop]:
        """Return the hops of a ProxyJump value, "user@host:port[,…]"; "none" and "" are none.

        Raises:
            UsageError: a part of it is no hop.
        """
        return [cls._parse(part.strip()) for part in text.split(",")] if text.lower() not in {"", "none"} else []

    @classmethod
    def _parse(cls, text: str) -> Hop:
        match = _HOP.fullmatch(text)
        if not match:
            raise UsageError(f"'{text}' is no jump host.", "Write it as user@host:port.")
        user, host, port = match.group("user", "host", "port")
        if port and not 0 < int(port) <= MOST_PORT:
            raise UsageError(f"'{text}' is no jump host: there is no port {port}.", "Write it as user@host:port.")
        return cls(host.strip("[]"), int(port) if port else None, user or "")


@dataclass(frozen=True, kw_only=True)
class Destination:
    """All that is needed to call a host and prove who we are.

    Attributes:
        hostname: the real name or address.
        port: TCP port.
        username: account there.
        identities: private keys to offer, besides the agent's; they need not exist.
        identities_only: whether the agent's other keys are kept back.
        agent: socket of the agent to ask; "" for none, None for the usual one (SSH_AUTH_SOCK).
        certificates: certificates to use with keys, besides those that lie beside them.
        jumps: hosts to go through, first to last.
        proxy_command: a command whose standard input and output lead there, or "".
        known_hosts: the user's files of known host keys.
        host_key_alias: the name to use in them instead of the real one, or "".
    """

    hostname: str
    port: int
    username: str
    identities: tuple[Path, ...] = ()
    identities_only: bool = False
    agent: str | None = None
    certificates: tuple[Path, ...] = ()
    jumps: tuple[Hop, ...] = ()
    proxy_command: str = ""
    known_hosts: tuple[Path, ...] = ()
    host_key_alias: str = ""

    @property
    def known_as(self) -> str:
        """The name in known_hosts: the alias, else "host", or "[host]:port" for another port than 22."""
        if self.host_key_alias:
            return self.host_key_alias
        return self.hostname if self.port == 22 else f"[{self.hostname}]:{self.port}"  # noqa: PLR2004  # SSH's port

    def __str__(self) -> str:
        return f"{self.username}@{self.hostname}" + (f" port {self.port}" if self.port != 22 else "")  # noqa: PLR2004
