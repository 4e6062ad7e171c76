"""Reads private key files: RSA, ECDSA and Ed25519, in OpenSSH's and PEM's formats, encrypted or not."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from project.adapters.key_text import Unusable, read_key

if TYPE_CHECKING:
    from pathlib import Path

_OPENSSH_MAGIC = b"openssh-key-v1\0"


class WrongPassphrase(Unusable):
    """The passphrase does not open the key."""


class KeyFile:
    """A private key file that has been read but not opened.

    Args:
        path: the file.

    Attributes:
        path: the file.
        encrypted: whether a passphrase is needed.
        public_blob: the public half as it travels, b"" when an encrypted PEM file without a `.pub` hides it.

    Raises:
        Unusable: it is missing, unreadable, open to others, or no private key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content = read_key(path)
        header = _openssh_header(self._content)
        if header:
            self.encrypted = header[0] != b"none"
            self.public_blob = header[1]
        else:
            self.encrypted = b"ENCRYPTED" in self._content
            self.public_blob = _public_half(path)

    def open(self, passphrase: str | None) -> paramiko.PKey:
        """Return the key; `passphrase` is only looked at if it is encrypted.

        Raises:
            WrongPassphrase: that is not its passphrase.
            Unusable: it is damaged, or of a kind that paramiko cannot sign with.
        """
        password = (passphrase or "").encode() if self.encrypted else None
        load: Any = serialization.load_pem_private_key
        if b"BEGIN OPENSSH" in self._content:
            load = serialization.load_ssh_private_key
        try:
            key = load(self._content, password)
        except (ValueError, TypeError) as error:
            if self.encrypted:
                raise WrongPassphrase("does not open with this passphrase") from error
            raise Unusable("is damaged") from error
        except UnsupportedAlgorithm as error:
            raise Unusable("is of a kind that is not supported") from error
        return _for_paramiko(key)


def _openssh_header(content: bytes) -> tuple[bytes, bytes] | None:
    """Return cipher and public key of OpenSSH's own format, whose header is never encrypted (PROTOCOL.key)."""
    if b"BEGIN OPENSSH" not in content:
        return None
    body = base64.b64decode(b"".join(line for line in content.splitlines() if b"-----" not in line))
    if not body.startswith(_OPENSSH_MAGIC):
        return None
    message = paramiko.Message(body[len(_OPENSSH_MAGIC) :])
    cipher, _kdf, _kdf_options = message.get_string(), message.get_string(), message.get_string()
    message.get_int()  # the number of keys, always one
    return cipher, message.get_string()


def _public_half(path: Path) -> bytes:
    try:
        return base64.b64decode(path.with_name(path.name + ".pub").read_bytes().split()[1])
    except (OSError, IndexError, ValueError):
        return b""


def _for_paramiko(key: object) -> paramiko.PKey:
    if isinstance(key, rsa.RSAPrivateKey):
        return paramiko.RSAKey(key=key)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return paramiko.ECDSAKey(vals=(key, key.public_key()))
    if isinstance(key, ed25519.Ed25519PrivateKey):  # which paramiko only takes as text
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        return paramiko.Ed25519Key.from_private_key(io.StringIO(text.decode()))
    raise Unusable("is of a kind that is not supported")
