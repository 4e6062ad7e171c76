"""The entry: from a login to an authenticated connection with a host that is known."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from project.adapters.ssh import trust
from project.adapters.ssh.connection import SshConnection
from project.adapters.ssh.destination import Hop
from project.adapters.ssh.dial import Deadline
from project.adapters.ssh.greet import Dropped, greet
from project.adapters.ssh.host_certificate import HostCertificate
from project.adapters.ssh.keyring import Keyring
from project.adapters.ssh.known_hosts import HostKey
from project.adapters.ssh.log_in import LogIn
from project.adapters.ssh.reach import answers
from project.adapters.ssh.route import open_route
from project.adapters.ssh.ssh_config import SshConfig
from project.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from project.adapters.ssh.destination import Destination
    from project.adapters.ssh.session import Session
    from project.ports import Login, Prompter

#: More jump hosts than this are a circle.
_MOST_JUMPS = 8

#: Before a dropped connection is tried again: a random part of this many seconds, which grows with each try.
_PAUSE_S = 0.4


class SshConnector:
    """Implements `project.ports.Connector`.

    Args:
        prompter: asks for trust in unknown hosts, for passphrases, and what servers want to know.
        known_hosts: the user's files of known host keys.
        remember_in: our own such file; hosts confirmed by the user are added to it.
        ssh_config: the user's `~/.ssh/config`, which need not exist; keys are looked for beside it. None: neither.
    """

    def __init__(
        self, prompter: Prompter, known_hosts: Sequence[Path], remember_in: Path, ssh_config: Path | None
    ) -> None:
        self._prompter = prompter
        self._remember_in = remember_in
        self._config = SshConfig(ssh_config, (*known_hosts, remember_in))

    def connect(self, login: Login) -> SshConnection:
        """Connect and log in, by way of jump hosts where the user's configuration or the registry names them.

        Raises:
            Unreachable: no SSH answer within the limit; the message says what came instead.
            AuthenticationFailed: no key was taken.
            HostKeyRefused: a host's key is unknown, changed, or disagrees with the registry.
        """
        with contextlib.ExitStack() as resources, contextlib.closing(Keyring(login, self._prompter)) as keyring:
            journey = _Journey(login, keyring, self._prompter, self._config, self._remember_in, resources)
            journey.reach_target()
            return SshConnection(journey.sessions, login.host, resources.pop_all(), has_sftp=login.has_sftp)

    def answers(self, login: Login) -> bool:
        """Whether the login node says that it speaks SSH, within the limit and without logging in."""
        return answers(self._config, login)


class _Journey:
    """One way to a login node, over any number of jump hosts.

    Attributes:
        sessions: one for each host on the way, the login node's last.
    """

    def __init__(
        self,
        login: Login,
        keyring: Keyring,
        prompter: Prompter,
        config: SshConfig,
        remember_in: Path,
        resources: contextlib.ExitStack,
    ) -> None:
        self.sessions: list[Session] = []
        self._jumps_resolved = 0
        self._login = login
        self._keyring = keyring
        self._prompter = prompter
        self._config = config
        self._remember_in = remember_in
        self._resources = resources

    def reach_target(self) -> None:
        """Reach the host that the login names.

        Raises:
            UsageError: the jump hosts lead in a circle; see `SshConnector.connect` for the rest.
        """
        login = self._login
        target = self._config.resolve(Hop(login.host, login.port, login.username))
        if target.jumps or target.proxy_command:
            jumps, role = target.jumps, "a jump host of your ssh_config"
        else:
            proposed = Hop.parse_all(login.proxy_jump)
            jumps = tuple(replace(hop, username=hop.username or login.username) for hop in proposed)
            role = "a jump host that the registry proposes"
        via = self._reach_jump(jumps, role) if jumps else None
        self._enter(target, via, "the login node", login.host_keys)

    def _reach_jump(self, jumps: Sequence[Hop], role: str) -> Session:
        """Reach the last of the jump hosts through those before it; the first one the way ssh_config says."""
        *before, last = jumps
        jump = self._config.resolve(last)
        further = before or [hop for hop in jump.jumps if hop.host not in {last.host, jump.hostname}]
        self._jumps_resolved += 1
        if self._jumps_resolved > _MOST_JUMPS:
            raise UsageError(f"The way to {self._login.host} has too many jump hosts.", "Look at ProxyJump.")
        via = self._reach_jump(further, role) if further else None
        return self._enter(jump, via, role, ())

    def _enter(self, destination: Destination, via: Session | None, role: str, pins: Sequence[str]) -> Session:
        """Connect to `destination`, verify it, and log in."""
        session = self._meet(destination, via, role, pins)
        LogIn(session, destination, self._prompter).with_keys(self._keyring)
        self.sessions.append(session)
        return session

    def _meet(self, destination: Destination, via: Session | None, role: str, pins: Sequence[str]) -> Session:
        """Connect to `destination` and verify its host key."""
        host = trust.Acquaintance.look_up(destination.known_as, role, destination.known_hosts, pins)
        session = self._greet_patiently(destination, via, host)
        shown = session.get_remote_server_key()
        key, certificate = HostKey(shown.get_name(), shown.asbytes()), HostCertificate.of(shown)
        trust.verify(key, host, self._prompter, self._remember_in, certificate)
        if session.is_active() or host.known or host.is_vouched_for(certificate, time.time()):
            return session
        return self._meet(destination, via, role, pins)  # the answer took longer than the server waits

    def _greet_patiently(self, destination: Destination, via: Session | None, host: trust.Acquaintance) -> Session:
        """Connect, and try again as long as there is time when the server has no room."""
        deadline = Deadline(self._login.timeout_s)
        where = f"{destination.hostname} port {destination.port}"
        pause_s = _PAUSE_S
        while True:
            line = open_route(destination, via, deadline, self._resources)
            try:
                session = greet(line, where, host.algorithms, deadline)
            except Dropped:
                if deadline.left_s < pause_s:
                    raise
                time.sleep(random.uniform(pause_s / 4, pause_s))  # noqa: S311  # jitter, not a secret
                pause_s *= 1.5
            else:
                self._resources.callback(session.close)
                return session
