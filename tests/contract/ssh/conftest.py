"""SSH servers, keys and connections for the tests in this folder."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from project.adapters.ssh import SshConnector
from project.ports import Login
from tests.contract import processes
from tests.contract.ssh.people import Person
from tests.contract.ssh.servers import SshServer, find_sshd, ssh_server, user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from project.adapters.ssh.connection import SshConnection

#: Host key types, in the order in which servers of these tests have them.
_HOST_KEY_TYPES = ("ed25519", "ecdsa", "rsa")


@dataclass(frozen=True)
class Keys:
    """Makes key pairs that all servers of these tests accept, unless told otherwise.

    Attributes:
        folder: where they lie.
    """

    folder: Path

    @property
    def authorized_keys(self) -> Path:
        """The file with the accepted ones."""
        return self.folder / "authorized_keys"

    def make(self, name: str, *arguments: str, passphrase: str = "", accepted: bool = True) -> Path:
        """Return the private key `name`, made by ssh-keygen with these arguments."""
        path = self.folder / name
        command = ["ssh-keygen", "-q", "-a", "1", "-N", passphrase, "-C", name, "-f", str(path), *arguments]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        if accepted:
            with self.authorized_keys.open("a") as file:
                file.write(path.with_name(f"{name}.pub").read_text())
        return path


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """A folder of keys."""
    if not find_sshd():
        pytest.skip("sshd is not installed (apt-get install openssh-server)")
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def key(keys: Keys) -> Path:
    """A key that every server accepts."""
    return keys.make("everyday", "-t", "ed25519")


@pytest.fixture(scope="session")
def host_keys(keys: Keys) -> list[Path]:
    """Return host keys, one of each type."""
    return [keys.make(f"host_{type_}", "-t", type_, accepted=False) for type_ in _HOST_KEY_TYPES]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, keys: Keys, host_keys: list[Path]) -> Iterator[SshServer]:
    """A server as most are."""
    with ssh_server(tmp_path_factory.mktemp("sshd"), host_keys, keys.authorized_keys) as running:
        yield running


@pytest.fixture
def start_server(tmp_path: Path, keys: Keys, host_keys: list[Path]) -> Iterator[Callable[..., SshServer]]:
    """Start servers that are special: lines of sshd_config, `sftp=`, `host_keys=`."""
    with contextlib.ExitStack() as running:

        def start(*lines: str, host_keys: list[Path] = host_keys, **options: str) -> SshServer:
            return running.enter_context(ssh_server(tmp_path, host_keys, keys.authorized_keys, *lines, **options))

        yield start


@dataclass(frozen=True)
class Caller:
    """Connects to servers.

    Attributes:
        folder: where its files of known hosts are.
        key: the key it uses unless told otherwise.
        open: the connections to close in the end.
    """

    folder: Path
    key: Path
    open: contextlib.ExitStack

    @property
    def confirmed_hosts(self) -> Path:
        """Our own file of known hosts."""
        return self.folder / "gridferry" / "known_hosts"

    def know(self, text: str) -> None:
        """Have the user's file of known hosts say `text`."""
        with (self.folder / "known_hosts").open("a") as file:
            file.write(text)

    def connector(self, person: Person | None = None, ssh_config: Path | None = None) -> SshConnector:
        """Return a connector that asks `person`."""
        return SshConnector(person or Person(), [self.folder / "known_hosts"], self.confirmed_hosts, ssh_config)

    def connect(
        self,
        server: SshServer | None,
        person: Person | None = None,
        *,
        ssh_config: Path | None = None,
        known: bool = True,
        **login: Any,
    ) -> SshConnection:
        """Connect to a server, which is `known` already unless told otherwise."""
        if server:
            login = {"host": "127.0.0.1", "port": server.port, **login}
            self.know(server.known_hosts if known else "")
        login = {"username": user(), "private_key": self.key, **login}
        connection = self.connector(person, ssh_config).connect(Login(**login))
        self.open.callback(connection.close)
        return connection


@pytest.fixture
def caller(tmp_path: Path, key: Path) -> Iterator[Caller]:
    """Who connects."""
    with contextlib.ExitStack() as connections:
        yield Caller(tmp_path, key, connections)


@pytest.fixture
def connection(caller: Caller, server: SshServer) -> SshConnection:
    """A connection to a server as most are."""
    return caller.connect(server)


@pytest.fixture
def agent(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A real ssh-agent of one's own; call it to add keys."""
    socket = tmp_path_factory.mktemp("a") / "s"
    environment = {"SSH_AUTH_SOCK": str(socket)}
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))

    def add(*paths: Path, passphrase: str = "") -> None:
        askpass = socket.with_name("askpass")
        askpass.write_text(f"#!/bin/sh\necho '{passphrase}'\n")
        askpass.chmod(0o700)
        settings = {
            **environment,
            "SSH_ASKPASS": str(askpass),
            "SSH_ASKPASS_REQUIRE": "force",
            "PATH": "/usr/bin:/bin",
        }
        subprocess.run(["ssh-add", "-q", *map(str, paths)], check=True, env=settings, stdin=subprocess.DEVNULL)

    try:
        processes.poll(socket.exists, "the agent listens")
        yield add
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(params=["sftp", "stream"])
def way(request: pytest.FixtureRequest) -> str:
    """Both ways to move files keep the same promises."""
    return str(request.param)


@pytest.fixture
def cuttable(way: str, start_server: Callable[..., SshServer]) -> SshServer:
    """A server of one's own."""
    return start_server(sftp="internal-sftp" if way == "sftp" else "")


@pytest.fixture
def there(cuttable: SshServer, caller: Caller) -> SshConnection:
    """A connection to it."""
    return caller.connect(cuttable)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Path]:
    """A directory of the far side; what tries there whether it outlives a login ends with its mark."""
    far = tmp_path / "far"
    far.mkdir()
    yield far
    for mark in far.rglob("trial-*"):
        mark.unlink()
