"""Which keys to offer, in which order, and when to ask for a passphrase."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paramiko
from paramiko.agent import AgentSSH
from paramiko.pkey import PublicBlob

from project.adapters.key_text import Unusable
from project.adapters.ssh.private_key import KeyFile, WrongPassphrase
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
        self._agents: dict[str | None, paramiko.Agent | _NamedAgent | None] = {}

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
        held = sorted(self._agent_keys(destination.agent), key=lambda key: key.asbytes() not in of_files)
        for key in held:
            if key.asbytes() in of_files or not destination.identities_only:
                yield from _dressed(f"the agent's key {key.comment}", key, destination.certificates)
        for file in files:
            if file.public_blob not in {key.asbytes() for key in held} and (opened := self._try_open(file)):
                yield from _dressed(str(file.path), opened, _certificates(file, destination))

    def close(self) -> None:
        """Let go of the agent."""
        for agent in self._agents.values():
            if agent:
                agent.close()

    def _explicit(self, path: Path, destination: Destination) -> Iterator[Offer]:
        try:
            file = KeyFile(path)
            key = self._from_agent(file, destination.agent) or self._open(file)
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

    def _from_agent(self, file: KeyFile, agent: str | None) -> paramiko.PKey | None:
        """Return the agent's copy of an encrypted key: it spares the passphrase."""
        if not file.encrypted or self._login.passphrase or not file.public_blob:
            return None
        return next((key for key in self._agent_keys(agent) if key.asbytes() == file.public_blob), None)

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

    def _agent_keys(self, path: str | None) -> Sequence[paramiko.AgentKey]:
        if path not in self._agents:
            self._agents[path] = None
            with contextlib.suppress(paramiko.SSHException, OSError):
                self._agents[path] = _agent_at(path)
        agent = self._agents[path]
        return agent.get_keys() if agent else ()


def _agent_at(path: str | None) -> paramiko.Agent | _NamedAgent | None:
    """Return a connection to an agent: the usual one for None, none for ""; OSError where nobody listens."""
    if path == "":
        return None
    return paramiko.Agent() if path is None else _NamedAgent(path)


class _NamedAgent(AgentSSH):
    """The agent behind a socket that IdentityAgent names."""

    def __init__(self, path: str) -> None:
        super().__init__()
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(path)
            self._connect(line)  # type: ignore[attr-defined] # the stubs leave out what paramiko's own agents use
        except BaseException:
            line.close()
            raise

    def close(self) -> None:
        """Let go of it."""
        self._close()  # type: ignore[attr-defined] # see above


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
