"""Logins on the web page that have not ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api_srv.dao.documents import remove
from api_srv.dao.ports import Condition

if TYPE_CHECKING:
    from api_srv.dao.ports import Document, Documents


class LoginStore:
    """Logins by the SHA-256 of what their cookie holds."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def add(self, login: Document) -> None:
        """Store a new login."""
        self._documents.insert("logins", login)

    def get(self, digest: str) -> Document | None:
        """Return a login."""
        return self._documents.get("logins", digest)

    def remove(self, digest: str) -> None:
        """Remove a login."""
        self._documents.delete("logins", digest)

    def remove_of(self, user: str) -> None:
        """Remove every login of an account."""
        remove(self._documents, "logins", Condition("user", "=", user))

    def forget_expired(self, now: str) -> None:
        """Remove logins that have lasted long enough."""
        remove(self._documents, "logins", Condition("expires_at", "<=", now))
