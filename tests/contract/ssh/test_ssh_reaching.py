"""Getting to a login node, or saying what is there instead."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.adapters.ssh import session
from project.core.errors import AuthenticationFailed, Unreachable, UsageError
from tests.contract import processes
from tests.contract.ssh import listeners
from tests.contract.ssh.servers import user

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.ssh.conftest import Caller, Keys
    from tests.contract.ssh.servers import SshServer

_LIMIT_S = 1.0

_NO_SSH: dict[str, tuple[Callable[[socket.socket], object] | None, str]] = {
    "silent": (None, "silent: no SSH banner within 1 s"),
    "mail": (listeners.mail_server, r"not as SSH \(no SSH banner\): '220 mail.example.org ready'"),
    "web": (listeners.web_server, r"not as SSH \(no SSH banner\): 'HTTP/1.1 400 Bad Request'"),
    "hangs up": (listeners.hang_up, "hangs up without an SSH banner"),
    "forgetful": (listeners.forget_after_banner, "fell silent in the key exchange"),
}


@pytest.mark.parametrize("kind", _NO_SSH)
def test_what_is_not_ssh_is_told_apart_in_time(kind: str, caller: Caller) -> None:
    """Silence, other services and hanging up have their own messages, all within the limit."""
    serve, message = _NO_SSH[kind]
    with listeners.listener(serve) as port:
        began = time.monotonic()
        with pytest.raises(Unreachable, match=message):
            caller.connect(None, host="127.0.0.1", port=port, timeout_s=_LIMIT_S)
        assert time.monotonic() - began < _LIMIT_S + 2


def test_a_closed_port_refuses(caller: Caller) -> None:
    """Where nothing listens, that is said at once."""
    began = time.monotonic()
    with pytest.raises(Unreachable, match="refuses connections"):
        caller.connect(None, host="127.0.0.1", port=processes.free_port())
    assert time.monotonic() - began < 2


def test_a_name_that_does_not_resolve(caller: Caller) -> None:
    """A misspelt name is said to be that, within the limit even if no name server answers."""
    with pytest.raises(Unreachable, match=r"The name login\.invalid cannot be resolved"):
        caller.connect(None, host="login.invalid", timeout_s=_LIMIT_S)


@pytest.mark.parametrize("host", ["-oProxyCommand=evil", "a b", "$(evil)", "host;evil", ""])
def test_no_host_name_becomes_an_option_or_a_command(host: str, caller: Caller) -> None:
    """A registry cannot smuggle anything into ssh's command line or a shell."""
    with pytest.raises(UsageError, match="is no account on a host"):
        caller.connect(None, host=host)


@pytest.mark.parametrize(
    "username", ["-oProxyCommand=evil", "a b", "$(evil)", "me;evil", "me\nevil", "me`evil`", "a|b"]
)
def test_no_account_name_becomes_an_option_or_a_command(username: str, caller: Caller) -> None:
    """Nor can whoever wrote it into a job file, or the registry that tells a job's account."""
    with pytest.raises(UsageError, match="is no account on a host"):
        caller.connect(None, host="127.0.0.1", username=username)


def _occupy(port: int) -> socket.socket | None:
    """Take the only place of a server for people who have not logged in yet."""
    rival = socket.create_connection(("127.0.0.1", port))
    if rival.recv(64).startswith(b"SSH-"):
        return rival
    rival.close()
    return None


def test_a_server_without_room_is_tried_again(
    tmp_path: Path, caller: Caller, start_server: Callable[..., SshServer]
) -> None:
    """When sshd drops a connection because too many log in at once, a later try within the limit gets in."""
    server = start_server("MaxStartups 1")
    log = tmp_path / f"sshd_{server.port}.log"
    rival = processes.poll(lambda: _occupy(server.port), "the only place is taken")
    assert rival
    before = log.read_text().count("drop connection")

    def leave_once_it_matters() -> None:
        processes.poll(lambda: log.read_text().count("drop connection") > before, "a connection was dropped")
        rival.close()

    leaving = threading.Thread(target=leave_once_it_matters)
    leaving.start()
    caller.connect(server)
    leaving.join()


def _config(folder: Path, text: str) -> Path:
    file = folder / "ssh_config"
    file.write_text(text)
    return file


def test_aliases_and_ports_of_the_configuration(tmp_path: Path, caller: Caller, server: SshServer) -> None:
    """HostName and Port of ssh_config lead to the real host; the login's own username and key win over it."""
    config = _config(
        tmp_path, f"Host hpc\n HostName 127.0.0.1\n Port {server.port}\n User nobody\n IdentityFile /none\n"
    )
    caller.know(server.known_hosts)
    caller.connect(None, host="hpc", ssh_config=config)


def test_a_broken_configuration_is_shown(tmp_path: Path, caller: Caller) -> None:
    """What ssh says against the configuration is passed on."""
    with pytest.raises(UsageError, match="is not valid") as failure:
        caller.connect(None, host="hpc", ssh_config=_config(tmp_path, "Nonsense on\n"))
    assert "nonsense" in failure.value.detail.lower()


@pytest.mark.parametrize("without_openssh", [False, True], ids=["ssh -G", "paramiko"])
def test_jump_hosts_of_the_configuration(
    without_openssh: bool,
    tmp_path: Path,
    caller: Caller,
    server: SshServer,
    start_server: Callable[..., SshServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two jump hosts in a row, each with its own name and port, verified like any other host."""
    second, target = start_server(), start_server("AllowTcpForwarding no")
    hosts = {"first": server, "second": second, "target": target}
    text = "".join(f"Host {name}\n HostName 127.0.0.1\n Port {host.port}\n" for name, host in hosts.items())
    config = _config(tmp_path, f"{text}Host target\n ProxyJump {user()}@first,{user()}@second\n")
    caller.know(server.known_hosts + second.known_hosts + target.known_hosts)
    if without_openssh:
        monkeypatch.setenv("PATH", str(tmp_path))
    connection = caller.connect(None, host="target", ssh_config=config)
    assert connection.shell().ask("echo $SSH_CONNECTION").split()[3] == str(target.port)
    assert connection.connections_opened == 3


def test_a_jump_host_the_registry_proposes(
    caller: Caller, server: SshServer, start_server: Callable[..., SshServer]
) -> None:
    """It is used with the login's account and key, and must be a known host itself."""
    target = start_server()
    caller.know(server.known_hosts)
    connection = caller.connect(target, proxy_jump=f"127.0.0.1:{server.port}")
    assert connection.connections_opened == 2
    connection.put(b"through", str(caller.folder / "there"))
    assert connection.read(str(caller.folder / "there"), 10) == b"through"


def test_a_jump_host_that_does_not_forward(
    caller: Caller, server: SshServer, start_server: Callable[..., SshServer]
) -> None:
    """The message says that it is the jump host's doing."""
    jump = start_server("AllowTcpForwarding no")
    caller.know(jump.known_hosts)
    with pytest.raises(Unreachable, match=rf"The jump host cannot reach 127\.0\.0\.1 port {server.port}"):
        caller.connect(server, proxy_jump=f"127.0.0.1:{jump.port}")


def test_a_jump_host_that_refuses_the_key(
    keys: Keys, caller: Caller, server: SshServer, start_server: Callable[..., SshServer]
) -> None:
    """The message names the jump host, not the login node."""
    jump = start_server(f"AuthorizedKeysFile {keys.folder}/none")
    caller.know(jump.known_hosts)
    with pytest.raises(AuthenticationFailed, match=f"port {jump.port} refused every key"):
        caller.connect(server, proxy_jump=f"127.0.0.1:{jump.port}")


def test_jump_hosts_in_a_circle(tmp_path: Path, caller: Caller) -> None:
    """Two hosts that are each other's jump host are a mistake that is told."""
    config = _config(tmp_path, "Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    with pytest.raises(UsageError, match="too many jump hosts"):
        caller.connect(None, host="a", ssh_config=config)


def _relay(folder: Path) -> str:
    """Return a proxy command made of Python, which connects its standard input and output with a port."""
    relay = folder / "relay.py"
    relay.write_text(
        "import os, pathlib, socket, sys, threading\n"
        "pathlib.Path(sys.argv[3]).write_text(str(os.getpid()))\n"
        "line = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "def up():\n"
        "    while data := os.read(0, 65536): line.sendall(data)\n"
        "    line.shutdown(socket.SHUT_WR)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := line.recv(65536): os.write(1, data)\n"
    )
    return f"{sys.executable} {relay} %h %p"


def test_a_proxy_command(tmp_path: Path, caller: Caller, server: SshServer) -> None:
    """ProxyCommand leads to the host, and ends with the connection."""
    pid_file = tmp_path / "pid"
    config = _config(tmp_path, f"Host 127.0.0.1\n ProxyCommand {_relay(tmp_path)} {pid_file}\n")
    connection = caller.connect(server, ssh_config=config)
    assert connection.shell().ask("echo here") == "here\n"
    pid = int(pid_file.read_text())
    connection.close()
    assert not Path(f"/proc/{pid}").exists()


def test_a_proxy_command_that_fails(tmp_path: Path, caller: Caller, server: SshServer) -> None:
    """A proxy command that ends at once is no SSH server, and that is known at once."""
    config = _config(tmp_path, "Host 127.0.0.1\n ProxyCommand false\n")
    with pytest.raises(Unreachable, match="hangs up without an SSH banner"):
        caller.connect(server, ssh_config=config, timeout_s=_LIMIT_S)


def test_a_dead_connection_is_noticed(
    tmp_path: Path, caller: Caller, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nothing comes through any more although nobody hung up, keepalive questions find out (here sooner)."""
    monkeypatch.setattr(session, "KEEPALIVE_S", 0.2)
    monkeypatch.setattr(session, "SILENCE_LIMIT_S", 0.8)
    pid_file = tmp_path / "pid"
    config = _config(tmp_path, f"Host 127.0.0.1\n ProxyCommand {_relay(tmp_path)} {pid_file}\n")
    lines = caller.connect(server, ssh_config=config).shell().become("echo started; sleep 1.2; echo alive; sleep 20")
    assert [next(lines), next(lines)] == ["started", "alive"]
    relay = int(pid_file.read_text())
    os.kill(relay, signal.SIGSTOP)
    try:
        with pytest.raises(Unreachable, match="was cut off"):
            next(lines)
    finally:
        os.kill(relay, signal.SIGCONT)
