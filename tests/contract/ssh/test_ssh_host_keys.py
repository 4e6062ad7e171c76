"""Host keys of real servers: known, unknown, changed, revoked, pinned."""

from __future__ import annotations

import stat
import subprocess
import threading
from typing import TYPE_CHECKING

import paramiko
import pytest

from project.adapters.ssh.known_hosts import HostKey
from project.core.errors import HostKeyRefused, UsageError
from tests.contract import processes
from tests.contract.ssh.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.contract.ssh.conftest import Caller
    from tests.contract.ssh.servers import SshServer


def _in_use(thread: threading.Thread) -> bool:
    return isinstance(thread, paramiko.Transport) and thread.is_active()


def _fingerprint(public_key: str) -> str:
    key = HostKey.parse(*public_key.split())
    assert key
    return key.fingerprint


@pytest.fixture
def foreign(tmp_path: Path) -> str:
    """A host key that no server has."""
    path = tmp_path / "foreign"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def test_an_unknown_host_is_asked_about_once(caller: Caller, server: SshServer) -> None:
    """The question shows the fingerprint; after a yes the key is in our own private file, and that is that."""
    person = Person(trusting=True)
    caller.connect(server, person, known=False)
    caller.connect(server, Person(), known=False)
    (question,) = person.questions
    assert _fingerprint(server.host_keys[0]) in question
    assert "registry pins no key" in question
    assert caller.confirmed_hosts.read_text() == f"{server.known_as} {server.host_keys[0]}\n"
    assert stat.S_IMODE(caller.confirmed_hosts.stat().st_mode) == 0o600
    assert not (caller.folder / "known_hosts").read_text()


def test_a_no_is_no_connection(caller: Caller, server: SshServer) -> None:
    """Without trust there is no login, and nothing is remembered."""
    with pytest.raises(HostKeyRefused, match="was not confirmed"):
        caller.connect(server, Person(trusting=False), known=False)
    assert not caller.confirmed_hosts.exists()


def test_where_nobody_can_be_asked_the_exact_remedy_is_told(caller: Caller, server: SshServer) -> None:
    """A script gets an error of host keys, with the fingerprint and the line to add; with that line it connects."""

    class Nobody(Person):
        def confirm_trust(self, question: str) -> bool:
            raise UsageError(question)

    with pytest.raises(HostKeyRefused, match="nobody can be asked") as failure:
        caller.connect(server, Nobody(), known=False)
    assert _fingerprint(server.host_keys[0]) in failure.value.message
    assert not caller.confirmed_hosts.exists()
    told, line = failure.value.remedy.splitlines()
    assert told.endswith(f"add this line to {caller.confirmed_hosts}:")
    caller.confirmed_hosts.parent.mkdir()
    caller.confirmed_hosts.write_text(f"{line}\n")
    caller.connect(server, Nobody(), known=False)


def test_a_pin_is_confirmed_too(caller: Caller, server: SshServer) -> None:
    """A registry's pin that fits is mentioned, and asked about all the same."""
    person = Person(trusting=True)
    caller.connect(server, person, known=False, host_keys=(server.host_keys[2],))
    assert "It is the key the registry pins" in person.questions[0]
    assert "ssh-rsa" in caller.confirmed_hosts.read_text()


def test_a_pin_that_does_not_fit_refuses(caller: Caller, server: SshServer, foreign: str) -> None:
    """An unknown host that is not what the registry pins is refused without a question."""
    with pytest.raises(HostKeyRefused, match="the registry's pin") as failure:
        caller.connect(server, Person(), known=False, host_keys=(foreign,))
    assert _fingerprint(foreign) in failure.value.message


def test_a_pin_never_overrides_known_hosts(caller: Caller, server: SshServer, foreign: str) -> None:
    """A key that known_hosts does not have is refused, whatever the registry pins; file and line are named."""
    caller.know(f"# a comment\n{server.known_as} {foreign}\n")
    with pytest.raises(HostKeyRefused, match=rf"{caller.folder}/known_hosts:2 says") as failure:
        caller.connect(server, Person(), known=False, host_keys=server.host_keys)
    assert _fingerprint(foreign) in failure.value.message
    assert _fingerprint(server.host_keys[0]) in failure.value.message


def test_a_known_host_the_registry_disowns_is_refused(caller: Caller, server: SshServer, foreign: str) -> None:
    """When the registry pins another key than the known one, somebody is wrong, so nothing goes on."""
    with pytest.raises(HostKeyRefused, match="the registry's pin says"):
        caller.connect(server, Person(), host_keys=(foreign,))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_known_one_of_several_keys_is_asked_for(number: int, caller: Caller, server: SshServer) -> None:
    """A server with keys of three types proves itself with the one that is known."""
    caller.know(f"{server.known_as} {server.host_keys[number]}\n")
    caller.connect(server, Person(), known=False)


def test_a_key_of_another_type_is_a_changed_key(
    caller: Caller, host_keys: list[Path], server: SshServer, start_server: Callable[..., SshServer]
) -> None:
    """A server that no longer has the known key, only one of another type, is not trusted."""
    changed = start_server(host_keys=host_keys[:1])
    caller.know(f"{changed.known_as} {server.host_keys[2]}\n")
    with pytest.raises(HostKeyRefused, match="says ssh-rsa"):
        caller.connect(changed, Person(), known=False)


def test_a_revoked_key_is_refused(caller: Caller, server: SshServer) -> None:
    """A line marked @revoked wins over everything."""
    caller.know("".join(f"@revoked * {key}\n" for key in server.host_keys))
    with pytest.raises(HostKeyRefused, match=r"known_hosts:\d+ revokes"):
        caller.connect(server, Person())


def test_hashed_names_are_recognised(caller: Caller, server: SshServer) -> None:
    """known_hosts as `ssh-keygen -H` leaves it."""
    caller.know(server.known_hosts)
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", caller.folder / "known_hosts"], check=True, capture_output=True)
    assert "127.0.0.1" not in (caller.folder / "known_hosts").read_text()
    caller.connect(server, Person(), known=False)


def test_an_alias_names_the_key(tmp_path: Path, caller: Caller, server: SshServer) -> None:
    """HostKeyAlias is what known_hosts is searched for."""
    config = tmp_path / "ssh_config"
    config.write_text("HostKeyAlias cluster\n")
    caller.know(f"cluster {server.host_keys[0]}\n")
    caller.connect(server, Person(), known=False, ssh_config=config)


def test_files_the_configuration_names_count(tmp_path: Path, caller: Caller, server: SshServer) -> None:
    """UserKnownHostsFile of ssh_config is read, several files and all."""
    named = tmp_path / "site_known_hosts"
    named.write_text(server.known_hosts)
    config = tmp_path / "ssh_config"
    config.write_text(f'UserKnownHostsFile /none "{named}"\n')
    caller.connect(server, Person(), known=False, ssh_config=config)


def test_a_jump_host_is_verified_by_its_own_name(
    caller: Caller, server: SshServer, start_server: Callable[..., SshServer]
) -> None:
    """An unknown jump host is asked about, as what it is, even if the login node is known."""
    target = start_server()
    person = Person(trusting=True)
    caller.connect(target, person, proxy_jump=f"127.0.0.1:{server.port}")
    (question,) = person.questions
    assert f"{server.known_as}, a jump host that the registry proposes" in question


def test_an_answer_that_takes_too_long_is_kept(caller: Caller, start_server: Callable[..., SshServer]) -> None:
    """If the server hangs up while the person compares fingerprints, a yes still counts: it is called again."""
    server = start_server()

    class Slow(Person):
        def confirm_trust(self, question: str) -> bool:
            server.cut_connections()
            processes.poll(lambda: not any(_in_use(thread) for thread in threading.enumerate()), "the cut is felt")
            return super().confirm_trust(question)

    connection = caller.connect(server, Slow(trusting=True), known=False)
    assert connection.shell().ask("echo in") == "in\n"
