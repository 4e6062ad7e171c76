"""Hosts with a certificate: an authority in known_hosts vouches for their keys, if it does."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from project.core.errors import HostKeyRefused
from tests.contract.ssh.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.contract.ssh.conftest import Caller
    from tests.contract.ssh.servers import SshServer

_MADE = ("ssh-keygen", "-q", "-t")


class Site:
    """A site that signs its host keys.

    Attributes:
        authority: line of a public key file.
        key: a host key.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = self._make("authority", "ecdsa")
        self.other = self._make("other", "ed25519")
        self.key = folder / "host"
        self.public = self._make("host", "ed25519")

    def sign(self, *options: str, by: str = "authority", principal: str = "127.0.0.1") -> str:
        """Return the line of sshd_config for the key's certificate."""
        sign = ["ssh-keygen", "-q", "-s", str(self._folder / by), "-I", "a host", "-n", principal]
        subprocess.run([*sign, *options, str(self.key)], check=True, timeout=30)
        return f"HostCertificate {self.key}-cert.pub"

    def _make(self, name: str, kind: str) -> str:
        subprocess.run([*_MADE, kind, "-N", "", "-f", self._folder / name], check=True, timeout=30)
        return " ".join((self._folder / f"{name}.pub").read_text().split()[:2])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site of one's own."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)


@pytest.mark.parametrize("names", ["*", "[127.0.0.1]:{port}"])
def test_a_host_that_an_authority_vouches_for_is_known(
    site: Site, caller: Caller, start_server: Callable[..., SshServer], names: str
) -> None:
    """Nobody is asked, and nothing has to be remembered."""
    server = start_server(site.sign("-h"), host_keys=[site.key])
    caller.know(f"@cert-authority {names.format(port=server.port)} {site.authority}\n")
    caller.connect(server, Person(), known=False)
    assert not caller.confirmed_hosts.exists()


def test_a_host_with_a_new_key_is_still_vouched_for(
    site: Site, caller: Caller, start_server: Callable[..., SshServer]
) -> None:
    """That is what authorities are for: a key remembered from before it had a certificate does not count any more."""
    server = start_server(site.sign("-h"), host_keys=[site.key])
    caller.know(f"@cert-authority * {site.authority}\n{server.known_as} {site.other}\n")
    caller.connect(server, Person(), known=False)


@pytest.mark.parametrize(
    ("options", "by", "principal"),
    [
        (("-h",), "other", "127.0.0.1"),
        (("-h",), "authority", "elsewhere.example.org"),
        (("-h", "-V", "20200101:20200102"), "authority", "127.0.0.1"),
        ((), "authority", "127.0.0.1"),
    ],
    ids=["another authority", "another name", "expired", "of a user"],
)
def test_a_certificate_that_does_not_count_leaves_the_host_unknown(
    site: Site,
    caller: Caller,
    start_server: Callable[..., SshServer],
    options: tuple[str, ...],
    by: str,
    principal: str,
) -> None:
    """It is asked about like any other."""
    server = start_server(site.sign(*options, by=by, principal=principal), host_keys=[site.key])
    caller.know(f"@cert-authority * {site.authority}\n")
    person = Person(trusting=False)
    with pytest.raises(HostKeyRefused, match="was not confirmed"):
        caller.connect(server, person, known=False)
    assert len(person.questions) == 1


def test_an_authority_that_was_revoked_vouches_for_nobody(
    site: Site, caller: Caller, start_server: Callable[..., SshServer]
) -> None:
    """Whatever else stands in known_hosts."""
    server = start_server(site.sign("-h"), host_keys=[site.key])
    caller.know(f"@cert-authority * {site.authority}\n@revoked * {site.authority}\n")
    with pytest.raises(HostKeyRefused, match="was not confirmed"):
        caller.connect(server, Person(trusting=False), known=False)


def test_a_revoked_key_is_refused_whoever_vouches_for_it(
    site: Site, caller: Caller, start_server: Callable[..., SshServer]
) -> None:
    """As without a certificate; and so is one that the registry disowns."""
    server = start_server(site.sign("-h"), host_keys=[site.key])
    caller.know(f"@cert-authority * {site.authority}\n")
    with pytest.raises(HostKeyRefused, match="the registry's pin"):
        caller.connect(server, Person(), known=False, host_keys=(site.other,))
    caller.know(f"@revoked * {site.public}\n")
    with pytest.raises(HostKeyRefused, match="revokes the key"):
        caller.connect(server, Person(), known=False)
