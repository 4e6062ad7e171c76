"""Accounts, tokens, and the count of failed logins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api_srv.dao.documents import remove, update
from api_srv.dao.ports import Condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_srv.dao.ports import Document, Documents


class UserStore:
    """Accounts by name, tokens by the SHA-256 of what was handed out."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def add(self, user: Document) -> bool:
        """Store a new account; False if its name is taken."""
        return self._documents.insert("users", user)

    def get(self, name: str) -> Document | None:
        """Return an account."""
        return self._documents.get("users", name)

    def all(self) -> list[Document]:
        """Return every account, by name."""
        return self._documents.find("users")

    def change(self, name: str, change: Callable[[Document], bool]) -> Document | None:
        """Let `change` alter an account (see documents.update); None if there is none."""
        return update(self._documents, "users", name, change)

    def add_token(self, token: Document) -> None:
        """Store a token's document."""
        self._documents.insert("tokens", token)

    def token(self, digest: str) -> Document | None:
        """Return the document of a token."""
        return self._documents.get("tokens", digest)

    def renew_token(self, digest: str, expires_at: str) -> None:
        """Let a token live longer."""

        def renewed(token: Document) -> bool:
            token["expires_at"] = max(expires_at, token["expires_at"])
            return True

        update(self._documents, "tokens", digest, renewed)

    def remove_token(self, digest: str) -> None:
        """Remove a token."""
        self._documents.delete("tokens", digest)

    def revoke_tokens(self, user: str) -> int:
        """Remove every token of an account; return how many there were."""
        return remove(self._documents, "tokens", Condition("user", "=", user))

    def forget_expired(self, now: str) -> None:
        """Remove tokens and counts of failed logins that mean nothing any more."""
        for collection in ("tokens", "attempts"):
            remove(self._documents, collection, Condition("expires_at", "<=", now))

    def failures(self, key: str, now: str) -> Document | None:
        """Return what is counted under `key`, if it still counts."""
        counted = self._documents.get("attempts", key)
        return counted if counted and counted["expires_at"] > now else None

    def count_failure(self, key: str, now: str, expires_at: str) -> None:
        """Count one more failure under `key`; the first one starts a window that ends at `expires_at`."""
        fresh = {"_id": key, "failures": 1, "expires_at": expires_at}

        def counted(stored: Document) -> bool:
            over = stored["expires_at"] <= now
            stored.update(fresh if over else {"failures": stored["failures"] + 1})
            return True

        if not self._documents.insert("attempts", fresh):
            update(self._documents, "attempts", key, counted)

    def forget_failures(self, key: str) -> None:
        """Start counting anew under `key`."""
        self._documents.delete("attempts", key)
