"""Failed logins, counted so that passwords cannot be guessed."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import TYPE_CHECKING

from api_srv import clock
from api_srv.errors import TooManyAttempts
from project.core.messages import parse_utc

if TYPE_CHECKING:
    from api_srv.dao.users import UserStore

_WINDOW_S = 15 * clock.MINUTE_S
_SITE_BITS = 64
_WIDER = 20  # so many times more are let pass for the account alone, and for the address alone


class Attempts:
    """Counts failures per account and address together, and per each alone.

    Args:
        limit: failures of one account from one address in a quarter of an hour.
    """

    def __init__(self, users: UserStore, limit: int) -> None:
        self._users = users
        self._limit = limit

    def refuse_guessing(self, name: str, address: str) -> None:
        """Raise TooManyAttempts if it is time to wait."""
        now = clock.now()
        for key, limit in self._limits(name, address).items():
            counted = self._users.failures(key, now)
            if counted and counted["failures"] >= limit:
                raise TooManyAttempts(int(parse_utc(counted["expires_at"]) - parse_utc(now)) + 1)

    def failed(self, name: str, address: str) -> None:
        """Count one."""
        now = clock.now()
        for key in self._limits(name, address):
            self._users.count_failure(key, now, clock.later(now, _WINDOW_S))

    def succeeded(self, name: str, address: str) -> None:
        """Forget what this account failed from this address."""
        self._users.forget_failures(next(iter(self._limits(name, address))))

    def _limits(self, name: str, address: str) -> dict[str, int]:
        """Return what is counted, and how many of each are too many; the two together come first."""
        known = hashlib.sha256(name.encode()).hexdigest()[:32]  # whatever somebody typed becomes a short key
        wider, address = self._limit * _WIDER, _network(address)
        return {f"both/{known}/{address}": self._limit, f"account/{known}": wider, f"address/{address}": wider}


def _network(address: str) -> str:
    """Return what one person commands: an IPv4 address, or the 64-bit network that a site or home gets of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, _SITE_BITS), strict=False))
