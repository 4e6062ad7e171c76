"""OpenSSH's known_hosts files: which host keys are trusted under which names (their format: sshd(8))."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.adapters.private_file import make_private_folder
from project.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class HostKey:
    """A host's public key.

    Attributes:
        type: such as "ssh-ed25519".
        blob: the key as it travels.
    """

    type: str
    blob: bytes

    @classmethod
    def parse(cls, type_: str, base64_text: str) -> HostKey | None:
        """Return the key of "ssh-ed25519", "AAAA…", or None when that is no key."""
        try:
            blob = base64.b64decode(base64_text, validate=True)
        except (binascii.Error, ValueError):
            return None
        return cls(type_, blob)

    @property
    def fingerprint(self) -> str:
        """As OpenSSH prints it: "SHA256:…"."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    def __str__(self) -> str:
        return f"{self.type} {base64.b64encode(self.blob).decode()}"


@dataclass(frozen=True)
class Entry:
    """One line of a known_hosts file.

    Attributes:
        where: "file:line", for messages.
        marker: "@revoked", "@cert-authority" or "".
        names: patterns separated by commas, or one hashed name.
        key: the key.
    """

    where: str
    marker: str
    names: str
    key: HostKey

    def covers(self, name: str) -> bool:
        """Whether this line speaks of `name` ("host" or "[host]:port")."""
        if self.names.startswith("|1|"):
            return _is_hash_of(self.names, name)
        patterns = self.names.lower().split(",")
        denied = any(_like(name, pattern[1:]) for pattern in patterns if pattern.startswith("!"))
        return not denied and any(_like(name, pattern) for pattern in patterns)


def entries(files: Iterable[Path], name: str) -> Iterator[Entry]:
    """Yield what the files say of `name`, in their order; files that are not there say nothing.

    Raises:
        UsageError: a file is there but cannot be read.
    """
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise UsageError(f"{file}, a file of known host keys, cannot be read: {error.strerror}.") from error
        for number, line in enumerate(lines, start=1):
            entry = _parse(line, f"{file}:{number}")
            if entry and entry.covers(name.lower()):
                yield entry


def append(file: Path, name: str, key: HostKey) -> None:
    """Trust `key` for `name` from now on; the file is made, private to the user, if need be."""
    make_private_folder(file.parent)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{name} {key}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parse(line: str, where: str) -> Entry | None:
    fields = line.split()
    marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
    if len(fields) < 3 or fields[0].startswith("#"):  # noqa: PLR2004  # names, type, key
        return None
    key = HostKey.parse(fields[1], fields[2])
    return Entry(where, marker, fields[0], key) if key else None


def _like(name: str, pattern: str) -> bool:
    """Match OpenSSH's wildcards, `*` and `?` alone: `[` is an ordinary character ("[host]:port")."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _is_hash_of(hashed: str, name: str) -> bool:
    """Whether "|1|salt|hash" was made of `name`: HMAC-SHA1 with the salt as key."""
    try:
        salt, digest = (base64.b64decode(part) for part in hashed.split("|")[2:4])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest)
