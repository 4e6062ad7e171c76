"""Logins on the web page: each ends for good at a logout, with its time, or with another password."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from api_srv import clock
from api_srv.errors import NotFound
from api_srv.services.accounts import digest

if TYPE_CHECKING:
    from api_srv.config import Settings
    from api_srv.dao.logins import LoginStore
    from api_srv.services.accounts import Accounts, Caller


class Logins:
    """What the cookie of a page stands for; a copy of it is worth no more than the login itself."""

    def __init__(self, store: LoginStore, accounts: Accounts, settings: Settings) -> None:
        self._store = store
        self._accounts = accounts
        self._lasts_s = settings.session_hours * clock.HOUR_S

    def begin(self, caller: Caller) -> str:
        """Return the key of a new login of whoever has just shown the password."""
        key, now = secrets.token_urlsafe(32), clock.now()
        self._store.forget_expired(now)
        login = {"_id": digest(key), "user": caller.name, "stamp": caller.stamp}
        self._store.add({**login, "created_at": now, "expires_at": clock.later(now, self._lasts_s)})
        return key

    def whose(self, key: str) -> Caller | None:
        """Return whose login this is; None if it is none, or has ended."""
        login = self._store.get(digest(key))
        if login is None or login["expires_at"] <= clock.now():
            return None
        with suppress(NotFound):
            caller = self._accounts.caller(login["user"])
            return caller if caller.stamp == login["stamp"] else None
        return None

    def end(self, key: str) -> None:
        """End a login."""
        self._store.remove(digest(key))

    def end_all(self, name: str) -> None:
        """End every login of an account."""
        self._store.remove_of(name)
