"""Which keys to offer, in which order, and when to ask for a passphrase."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paramiko
from paramiko.pkey import PublicBlob

from project.adapters.ssh.private_key import KeyFile, Unusable, WrongPassphrase
from project.core.errors import AuthenticationFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from project.adapters.ssh.destination import Destination
    from project.ports import Login, Prompter

_PASSPHRASE_TRIES = 3


@dataclass(frozen=True)
class Offer:
    """A key ready to sign.

    Attributes:
        name: what to call it in messages.
        key: the key.
        certificate: what vouches for it, or None.
    """

    name: str
    key: paramiko.PKey
    certificate: PublicBlob | None = None

    def take(self) -> paramiko.PKey:
        """Return the key, dressed for this offer."""
        self.key.public_blob = self.certificate
        return self.key


class Keyring:
    """The keys of one person. Used for all hosts on the way, so that each passphrase is asked once.

    Args:
        login: names the one key to use, if it does.
        prompter: asks for passphrases.

    Attributes:
        unusable: which configured keys could not be used, and why.
    """

    def __init__(self, login: Login, prompter: Prompter) -> None:
        self.unusable: list[str] = []
        self._login = login
        self._prompter = prompter
        self._opened: dict[Path, paramiko.PKey] = {}
        self._agent: paramiko.Agent | None = None

    def offers(self, destination: Destination) -> Iterator[Offer]:
        """Yield keys for `destination`, best first; a certificate goes before the bare key.

        Raises:
            AuthenticationFailed: the one key the login names cannot be used.
        """
        if self._login.private_key:
            yield from self._explicit(self._login.private_key, destination)
            return
        files = [file for path in destination.identities if (file := self._read(path))]
        of_files = {file.public_blob for file in files if file.public_blob}
        held = sorted(self._agent_keys(), key=lambda key: key.asbytes() not in of_files)
        for key in held:
            if key.asbytes() in of_files or not destination.identities_only:
                yield from _dressed(f"the agent's key {key.comment}", key, destination.certificates)
        for file in files:
            if file.public_blob not in {key.asbytes() for key in held} and (opened := self._try_open(file)):
                yield from _dressed(str(file.path), opened, _certificates(file, destination))

    def close(self) -> None:
        """Let go of the agent."""
        if self._agent:
            self._agent.close()

    def _explicit(self, path: Path, destination: Destination) -> Iterator[Offer]:
        try:
            file = KeyFile(path)
            key = self._from_agent(file) or self._open(file)
        except Unusable as error:
            raise AuthenticationFailed(
                f"The private key {path} {error}.", "Name another key, or put this one right."
            ) from error
        yield from _dressed(str(path), key, _certificates(file, destination))

    def _read(self, path: Path) -> KeyFile | None:
        """Read a configured key file; many of these need not exist, so only other trouble is noted."""
        try:
            return KeyFile(path) if path.exists() else None
        except Unusable as error:
            self.unusable.append(f"{path} {error}")
            return None

    def _try_open(self, file: KeyFile) -> paramiko.PKey | None:
        try:
            return self._open(file)
        except Unusable as error:
            self.unusable.append(f"{file.path} {error}")
            return None

    def _from_agent(self, file: KeyFile) -> paramiko.PKey | None:
        """Return the agent's copy of an encrypted key: it spares the passphrase."""
        if not file.encrypted or self._login.passphrase or not file.public_blob:
            return None
        return next((key for key in self._agent_keys() if key.asbytes() == file.public_blob), None)

    def _open(self, file: KeyFile) -> paramiko.PKey:
        if file.path not in self._opened:
            self._opened[file.path] = self._unlock(file)
        return self._opened[file.path]

    def _unlock(self, file: KeyFile) -> paramiko.PKey:
        given = self._login.passphrase
        if given or not file.encrypted:
            return file.open(given)
        for _ in range(_PASSPHRASE_TRIES - 1):
            with contextlib.suppress(WrongPassphrase):
                return file.open(self._prompter.secret(f"Passphrase of {file.path}"))
        return file.open(self._prompter.secret(f"Passphrase of {file.path}"))

    def _agent_keys(self) -> Sequence[paramiko.AgentKey]:
        if self._agent is None:
            with contextlib.suppress(paramiko.SSHException, OSError):
                self._agent = paramiko.Agent()
        return self._agent.get_keys() if self._agent else ()


def _certificates(file: KeyFile, destination: Destination) -> list[Path]:
    return [*destination.certificates, file.path.with_name(file.path.name + "-cert.pub")]


def _dressed(name: str, key: paramiko.PKey, certificates: Sequence[Path]) -> Iterator[Offer]:
    """Yield the key with each certificate that was made for it, then bare."""
    if isinstance(key, paramiko.AgentKey) and key.blob != key.asbytes():  # the agent holds a certificate
        yield Offer(f"{name} with its certificate", key, PublicBlob.from_message(paramiko.Message(key.blob)))
        return
    for file in certificates:
        with contextlib.suppress(OSError, ValueError):
            certificate = PublicBlob.from_file(str(file))
            if _is_for(certificate, key):
                yield Offer(f"{name} with {file.name}", key, certificate)
    yield Offer(name, key)


def _is_for(certificate: PublicBlob, key: paramiko.PKey) -> bool:
    """Whether the certificate holds this key: both list the same numbers, the certificate after type and nonce."""
    certified, bare = paramiko.Message(certificate.key_blob), paramiko.Message(key.asbytes())
    certified.get_string(), certified.get_string(), bare.get_string()
    return certified.get_remainder().startswith(bare.get_remainder())
