"""Passwords, kept as Argon2id hashes."""

from __future__ import annotations

import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

#: OWASP's password storage cheat sheet for Argon2id: 19 MiB, two passes, one lane
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_LONGEST_CHARS = 1024


def hashed(password: str) -> str:
    """Return what is stored of a password; "" for none."""
    return _HASHER.hash(password) if password else ""


def matches(stored: str, password: str) -> bool:
    """Whether this is the password; it takes as long where none is stored, so that names cannot be guessed."""
    try:
        return len(password) <= _LONGEST_CHARS and _HASHER.verify(stored or _nobodys(), password) and bool(stored)
    except (Argon2Error, InvalidHashError):
        return False


@lru_cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_hex())
