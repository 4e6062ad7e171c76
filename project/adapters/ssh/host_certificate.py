"""Certificates of hosts, as OpenSSH signs them (PROTOCOL.certkeys): who vouches for a key, and for which names."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paramiko

from project.adapters.ssh.known_hosts import HostKey

if TYPE_CHECKING:
    from collections.abc import Iterator

ALGORITHM_END = "-cert-v01@openssh.com"
_FOR_A_HOST = 2
_PUBLIC_FIELDS = {"ssh-ed25519": 1, "ssh-rsa": 2}  # of the key inside; ECDSA's: curve and point
_OF_ECDSA = 2


@dataclass(frozen=True)
class HostCertificate:
    """What an authority has signed.

    Attributes:
        authority: the key that has signed it, and did so rightly.
        principals: names of the host, perhaps with `*` and `?`; none for all.
        valid_after_s: from when on it holds, in seconds since 1970.
        valid_before_s: until when.
    """

    authority: HostKey
    principals: tuple[str, ...]
    valid_after_s: int
    valid_before_s: int

    @classmethod
    def of(cls, shown: paramiko.PKey) -> HostCertificate | None:
        """Return the certificate that came with a host key; None if there is none, or it is not what it claims."""
        kept = shown.public_blob
        if kept is None or not kept.key_type.endswith(ALGORITHM_END):
            return None
        try:
            return cls._read(kept.key_blob)
        except (paramiko.SSHException, ValueError, IndexError):
            return None

    @classmethod
    def _read(cls, blob: bytes) -> HostCertificate | None:
        message = paramiko.Message(blob)
        kind = message.get_text().removesuffix(ALGORITHM_END)
        for _ in range(1 + _PUBLIC_FIELDS.get(kind, _OF_ECDSA)):  # the nonce, and the key itself
            message.get_binary()
        message.get_int64()  # serial number
        is_for_host = message.get_int() == _FOR_A_HOST
        message.get_binary()  # its name
        principals = tuple(_texts(message.get_binary()))
        after, before = message.get_int64(), message.get_int64()
        critical = message.get_binary()
        message.get_binary()  # extensions
        message.get_binary()  # reserved
        authority = message.get_binary()
        signed = blob[: len(blob) - len(message.get_remainder())]
        signature = message.get_binary()
        signer = HostKey(paramiko.Message(authority).get_text(), authority)
        if not is_for_host or critical or not _is_signed(signer, signed, signature):
            return None
        return cls(signer, principals, after, before)

    def speaks_for(self, name: str, now_s: float) -> bool:
        """Whether it holds now, for a host of this name."""
        named = not self.principals or any(
            fnmatch.fnmatchcase(name, one.replace("[", "[[]")) for one in self.principals
        )
        return named and self.valid_after_s <= now_s < self.valid_before_s


def _texts(packed: bytes) -> Iterator[str]:
    message = paramiko.Message(packed)
    while message.get_remainder():
        yield message.get_text().lower()


def _is_signed(signer: HostKey, data: bytes, signature: bytes) -> bool:
    key = paramiko.PKey.from_type_string(signer.type, signer.blob)
    return bool(key.verify_ssh_sig(data, paramiko.Message(signature)))
