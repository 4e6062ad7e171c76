"""Logging in with every kind of key, and what is said when none fits."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from project.core.errors import AuthenticationFailed
from tests.contract.ssh.people import Person
from tests.contract.ssh.servers import user

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.contract.ssh.conftest import Caller, Keys
    from tests.contract.ssh.servers import SshServer

_KINDS = {
    "ed25519": ("-t", "ed25519"),
    "ecdsa-256": ("-t", "ecdsa", "-b", "256"),
    "ecdsa-521": ("-t", "ecdsa", "-b", "521"),
    "ecdsa-pem": ("-t", "ecdsa", "-m", "PEM"),
    "rsa": ("-t", "rsa", "-b", "1024"),
    "rsa-pem": ("-t", "rsa", "-b", "1024", "-m", "PEM"),
    "rsa-pkcs8": ("-t", "rsa", "-b", "1024", "-m", "PKCS8"),
}


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("passphrase", ["", "open sesame"])
def test_every_kind_of_key_logs_in(kind: str, passphrase: str, keys: Keys, caller: Caller, server: SshServer) -> None:
    """Each type and file format works, and a passphrase is asked for exactly if there is one."""
    key = keys.make(f"{kind}{len(passphrase)}", *_KINDS[kind], passphrase=passphrase)
    person = Person(secrets=["open sesame"])
    caller.connect(server, person, private_key=key)
    assert person.questions == ([f"Passphrase of {key}"] if passphrase else [])


def test_a_given_passphrase_is_used_without_asking(keys: Keys, caller: Caller, server: SshServer) -> None:
    """A passphrase from the login opens the key; nobody is asked."""
    key = keys.make("given", "-t", "ed25519", passphrase="given before")
    caller.connect(server, Person(), private_key=key, passphrase="given before")


def test_a_mistyped_passphrase_may_be_typed_again(keys: Keys, caller: Caller, server: SshServer) -> None:
    """The third try still counts."""
    key = keys.make("typed", "-t", "ed25519", passphrase="right")
    person = Person(secrets=["wrong", "wrong again", "right"])
    caller.connect(server, person, private_key=key)
    assert len(person.questions) == 3


def test_a_wrong_passphrase_is_no_login(keys: Keys, caller: Caller, server: SshServer) -> None:
    """After three wrong ones, the key's file and the reason are named, and never what was typed."""
    key = keys.make("locked", "-t", "ed25519", passphrase="right")
    with pytest.raises(AuthenticationFailed, match="locked does not open with this passphrase") as failure:
        caller.connect(server, Person(secrets=["s3cret-1", "s3cret-2", "s3cret-3"]), private_key=key)
    assert "s3cret" not in repr(failure.value) + failure.value.remedy + failure.value.detail


@pytest.mark.parametrize("place", ["beside the key", "in ssh_config"])
def test_a_certificate_logs_in(
    place: str, tmp_path: Path, keys: Keys, caller: Caller, start_server: Callable[..., SshServer]
) -> None:
    """A key the server does not know is accepted with a certificate of an authority it trusts."""
    authority = keys.make(f"authority {place}", "-t", "ed25519", accepted=False)
    key = keys.make(f"certified {place}", "-t", "rsa", "-b", "1024", accepted=False)
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", user(), f"{key}.pub"]
    subprocess.run(sign, check=True)
    config = tmp_path / "ssh_config"
    if place == "in ssh_config":
        elsewhere = key.with_name(f"{key.name}-cert.pub").rename(tmp_path / "elsewhere.pub")
        config.write_text(f'CertificateFile "{elsewhere}"\n')
    server = start_server(f'TrustedUserCAKeys "{authority}.pub"')
    caller.connect(server, private_key=key, ssh_config=config)


def test_the_agent_logs_in(keys: Keys, caller: Caller, server: SshServer, agent: Callable[..., None]) -> None:
    """Without a key in the login, the agent's keys are offered."""
    agent(keys.make("of agent", "-t", "ed25519"))
    caller.connect(server, private_key=None)


def test_an_agent_holding_a_certificate_logs_in(
    keys: Keys, caller: Caller, start_server: Callable[..., SshServer], agent: Callable[..., None]
) -> None:
    """ssh-add takes a certificate along with its key, and both together open the door."""
    authority = keys.make("authority of agent", "-t", "ed25519", accepted=False)
    key = keys.make("certified in agent", "-t", "ed25519", accepted=False)
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "me", "-n", user(), f"{key}.pub"], check=True)
    agent(key)
    caller.connect(start_server(f'TrustedUserCAKeys "{authority}.pub"'), private_key=None)


def test_the_agent_that_the_configuration_names_is_asked(
    tmp_path: Path,
    keys: Keys,
    caller: Caller,
    server: SshServer,
    agent: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """IdentityAgent goes before SSH_AUTH_SOCK, whatever stands there."""
    agent(keys.make("of named agent", "-t", "ed25519"))
    config = tmp_path / "ssh_config"
    config.write_text(f"IdentityAgent {os.environ['SSH_AUTH_SOCK']}\n")
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nobody"))
    caller.connect(server, private_key=None, ssh_config=config)


def test_no_agent_is_asked_if_the_configuration_says_so(
    tmp_path: Path, keys: Keys, caller: Caller, server: SshServer, agent: Callable[..., None]
) -> None:
    """`IdentityAgent none` keeps the agent out of it."""
    agent(keys.make("of unasked agent", "-t", "ed25519"))
    config = tmp_path / "ssh_config"
    config.write_text("IdentityAgent none\n")
    with pytest.raises(AuthenticationFailed):
        caller.connect(server, private_key=None, ssh_config=config)


def test_the_agent_spares_the_passphrase(
    keys: Keys, caller: Caller, server: SshServer, agent: Callable[..., None]
) -> None:
    """A key file with a passphrase is not asked about if the agent holds that key."""
    key = keys.make("in agent", "-t", "ecdsa", passphrase="known to the agent")
    agent(key, passphrase="known to the agent")
    caller.connect(server, Person(), private_key=key)


def test_configured_keys_log_in(tmp_path: Path, keys: Keys, caller: Caller, server: SshServer) -> None:
    """IdentityFile of ssh_config names keys; those that do not exist do no harm."""
    key = keys.make("configured", "-t", "ed25519")
    config = tmp_path / "ssh_config"
    config.write_text(f"Host 127.0.0.1\n IdentityFile {tmp_path}/none\n IdentityFile {key}\n")
    caller.connect(server, private_key=None, ssh_config=config)


def test_keys_beside_a_missing_configuration_log_in(
    tmp_path: Path, keys: Keys, caller: Caller, server: SshServer
) -> None:
    """Without an ssh_config, `id_ed25519` and its like are found where it would be."""
    key = keys.make("usual", "-t", "ed25519")
    key.rename(tmp_path / "id_ed25519")
    caller.connect(server, private_key=None, ssh_config=tmp_path / "config")


def test_too_many_keys_are_understood(
    keys: Keys, caller: Caller, start_server: Callable[..., SshServer], agent: Callable[..., None]
) -> None:
    """When the server hangs up because of the agent's many keys, the remedy is to name the right one."""
    agent(*(keys.make(f"foreign {number}", "-t", "ed25519", accepted=False) for number in range(4)))
    with pytest.raises(AuthenticationFailed, match="Too many authentication failures") as failure:
        caller.connect(start_server("MaxAuthTries 3"), private_key=None)
    assert "IdentitiesOnly" in failure.value.remedy


def test_only_named_keys_are_offered_if_the_configuration_says_so(
    tmp_path: Path, keys: Keys, caller: Caller, start_server: Callable[..., SshServer], agent: Callable[..., None]
) -> None:
    """With IdentitiesOnly, the agent's other keys stay back and the named one, held by the agent, gets in."""
    key = keys.make("named", "-t", "ed25519")
    agent(*(keys.make(f"other {number}", "-t", "ed25519", accepted=False) for number in range(4)), key)
    config = tmp_path / "ssh_config"
    config.write_text(f"IdentitiesOnly yes\nIdentityFile {key}\n")
    caller.connect(start_server("MaxAuthTries 2"), private_key=None, ssh_config=config)


def test_a_refused_key_is_named(keys: Keys, caller: Caller, server: SshServer) -> None:
    """The message names the key that was tried and the account."""
    key = keys.make("stranger", "-t", "ed25519", accepted=False)
    with pytest.raises(AuthenticationFailed, match=rf"{user()}@127\.0\.0\.1.* refused every key: .*stranger"):
        caller.connect(server, private_key=key)


def test_what_the_site_says_at_the_door_is_shown(
    tmp_path: Path, keys: Keys, caller: Caller, start_server: Callable[..., SshServer]
) -> None:
    """The server's banner, where sites say that accounts expire, comes with a refusal."""
    (tmp_path / "banner").write_text("Accounts of 2019 have expired.\n")
    key = keys.make("expired", "-t", "ed25519", accepted=False)
    with pytest.raises(AuthenticationFailed) as failure:
        caller.connect(start_server(f"Banner {tmp_path}/banner"), private_key=key)
    assert failure.value.detail == "Accounts of 2019 have expired."


def test_without_any_key_the_remedies_are_told(
    caller: Caller, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No agent, no key: the person learns how to come by one."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(AuthenticationFailed, match="no key") as failure:
        caller.connect(server, private_key=None)
    assert "ssh-keygen" in failure.value.remedy


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (None, 0, "does not exist"),
        ("ssh-ed25519 AAAA me", 0o600, "is no private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", 0o600, "is damaged"),
        ("-----BEGIN RSA PRIVATE KEY-----\n", 0o644, r"is open to other users \(mode 0644\)"),
    ],
)
def test_a_useless_key_file_is_explained(
    content: str | None, mode: int, reason: str, tmp_path: Path, caller: Caller, server: SshServer
) -> None:
    """A named key file that cannot be used is no login, and the message says why."""
    key = tmp_path / "key"
    if content is not None:
        key.write_text(content)
        key.chmod(mode)
    with pytest.raises(AuthenticationFailed, match=rf"{key} {reason}"):
        caller.connect(server, private_key=key)
