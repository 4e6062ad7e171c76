"""Accounts, passwords and tokens."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from api_srv import clock
from api_srv.errors import Conflict, Forbidden, NotFound, Unauthorised
from api_srv.services import passwords, validate
from api_srv.services.attempts import Attempts
from project.core import rules

if TYPE_CHECKING:
    from api_srv.config import Settings
    from api_srv.dao.ports import Document
    from api_srv.dao.users import UserStore

USER, REPORT = "user", "report"
ADMIN = "admin"


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        name: of the account.
        admin: whether it may do what administrators may.
        mail: the account's own address, set by an administrator.
        scope: `user`, or `report` for a token that can only report.
        cluster: the one cluster of a report token, "" for a user.
        stamp: changes with the account's password.
    """

    name: str
    admin: bool
    mail: str
    scope: str = USER
    cluster: str = ""
    stamp: str = field(default="", repr=False)

    def require_cluster(self, cluster: str) -> None:
        """Raise Forbidden if this is a report token of another cluster."""
        if self.scope == REPORT and self.cluster != cluster:
            raise Forbidden(f"this token reports for {self.cluster} only", "Ask for a token of this cluster.")


class Accounts:
    """What can be done with accounts and tokens."""

    def __init__(self, users: UserStore, settings: Settings) -> None:
        self._users = users
        self._settings = settings
        self._attempts = Attempts(users, settings.login_attempts)

    def add(self, name: str, mail: str, *, admin: bool, password: str) -> None:
        """Create an account; without a password it can use tokens only.

        Raises:
            Invalid: the name or the address is none.
            Conflict: the name is taken.
        """
        shape = {"name": rules.NAME, "mail": rules.MAIL}
        validate.check({"name": name, "mail": mail}, shape)
        role = ADMIN if admin else USER
        document = {"_id": name, "mail": mail, "role": role, "created_at": clock.now()}
        if not self._users.add({**document, "password_hash": passwords.hashed(password)}):
            raise Conflict(f"there is an account {name} already", "Choose another name.")

    def all(self) -> list[Document]:
        """Return every account."""
        return self._users.all()

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password; logins on the web page end.

        Raises:
            NotFound: there is no such account.
        """

        def changed(user: Document) -> bool:
            user["password_hash"] = passwords.hashed(password)
            return True

        if self._users.change(name, changed) is None:
            raise _no_account(name)

    def caller(self, name: str) -> Caller:
        """Return an account as caller.

        Raises:
            NotFound: there is no such account.
        """
        user = self._users.get(name)
        if user is None:
            raise _no_account(name)
        return _caller(user)

    def login(self, name: str, password: str, address: str) -> Caller:
        """Check a password.

        Raises:
            Unauthorised: name or password is wrong; which of them is not told.
            TooManyAttempts: too many failed, for this account or from this address.
        """
        self._attempts.refuse_guessing(name, address)
        user = self._users.get(name)
        right = passwords.matches(user["password_hash"] if user else "", password)
        if user is None or not right:  # in this order: it takes as long for a name that is none
            self._attempts.failed(name, address)
            raise Unauthorised("account name or password is wrong", "Check both; an administrator can reset it.")
        self._attempts.succeeded(name, address)
        return _caller(user)

    def issue_token(self, name: str) -> tuple[str, str]:
        """Make a user token; return it (it is not stored) and when it expires."""
        return self._issue(self.caller(name), USER, "", self._settings.token_days)

    def issue_report_token(self, caller: Caller, cluster: str) -> tuple[str, str]:
        """Make a token that can only report, for this account on this cluster; return it and when it expires."""
        return self._issue(caller, REPORT, cluster, self._settings.report_token_days)

    def revoke(self, name: str) -> int:
        """Make every token of an account useless; return how many there were."""
        return self._users.revoke_tokens(self.caller(name).name)

    def forget(self, token: str) -> None:
        """Make one token useless."""
        self._users.remove_token(digest(token))

    def identify(self, token: str) -> Caller:
        """Return whose token this is; a report token's life is renewed by its use.

        Raises:
            Unauthorised: it is unknown or expired.
        """
        now, key = clock.now(), digest(token)
        stored = self._users.token(key)
        user = self._users.get(stored["user"]) if stored else None
        if stored is None or user is None or stored["expires_at"] <= now:
            raise Unauthorised("this token is unknown or has expired", "Get a new one with POST /tokens.")
        if stored["scope"] == REPORT:
            self._renew(key, stored["expires_at"], now)
        return replace(_caller(user), scope=stored["scope"], cluster=stored["cluster"])

    def _renew(self, key: str, expires_at: str, now: str) -> None:
        days = self._settings.report_token_days
        if expires_at < clock.later(now, (days - 1) * clock.DAY_S):  # one write a day at most
            self._users.renew_token(key, clock.later(now, days * clock.DAY_S))

    def _issue(self, caller: Caller, scope: str, cluster: str, days: int) -> tuple[str, str]:
        token = f"gridferry_{scope}_{secrets.token_urlsafe(32)}"
        now = clock.now()
        expires_at = clock.later(now, days * clock.DAY_S)
        self._users.forget_expired(now)
        document = {"_id": digest(token), "user": caller.name, "scope": scope, "cluster": cluster}
        self._users.add_token({**document, "created_at": now, "expires_at": expires_at})
        return token, expires_at


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _caller(user: Document) -> Caller:
    return Caller(user["_id"], user["role"] == ADMIN, user["mail"], stamp=digest(user["password_hash"])[:32])


def _no_account(name: str) -> NotFound:
    return NotFound(f"there is no account {name}", "`python -m api_srv user list` lists them.")
