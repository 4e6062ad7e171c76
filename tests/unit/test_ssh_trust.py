"""The table of trust: what is said of a host against the key it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from project.adapters.ssh import trust
from project.adapters.ssh.known_hosts import Entry, HostKey
from project.adapters.ssh.trust import Acquaintance
from project.core.errors import HostKeyRefused

if TYPE_CHECKING:
    from pathlib import Path

_ED1, _ED2 = HostKey("ssh-ed25519", b"one"), HostKey("ssh-ed25519", b"two")
_RSA1, _RSA2 = HostKey("ssh-rsa", b"one"), HostKey("ssh-rsa", b"two")
_DSA = HostKey("ssh-dss", b"old")


class _Asked(Exception):
    """A person was asked."""


class _Prompter:
    assumes_yes = True

    def confirm_trust(self, question: str) -> bool:
        raise _Asked(question)


def _host(known: list[HostKey], pins: list[HostKey], revoked: list[HostKey]) -> Acquaintance:
    entries = [Entry(f"file:{number}", "", "hpc", key) for number, key in enumerate(known, start=1)]
    entries += [Entry("file:99", "@revoked", "*", key) for key in revoked]
    return Acquaintance("hpc", "the login node", tuple(entries), tuple(pins))


@pytest.mark.parametrize(
    ("known", "pins", "revoked", "outcome"),
    [
        ([_ED1], [], [], ""),
        ([_RSA2, _ED1], [], [], ""),
        ([_ED2, _ED1], [], [], ""),
        ([_ED1], [_ED1], [], ""),
        ([_ED1], [_ED2, _ED1], [], ""),
        ([_ED1], [_RSA2], [], ""),  # nothing to compare with
        ([_DSA], [], [], "asked"),  # a type that cannot be checked says nothing
        ([], [], [], "asked"),
        ([], [_ED1], [], "asked"),
        ([], [_RSA2, _ED1], [], "asked"),
        ([_ED2], [], [], "file:1"),
        ([_RSA1], [], [], "file:1"),  # the server no longer has what is known
        ([_RSA1, _ED2], [], [], "file:2"),
        ([_ED2], [_ED1], [], "file:1"),
        ([_ED1], [_ED2], [], "the registry's pin"),
        ([], [_ED2], [], "the registry's pin"),
        ([], [_RSA1], [], "the registry's pin"),
        ([_ED1], [_ED1], [_ED1], "file:99"),
        ([], [], [_ED1], "file:99"),
        ([_ED1], [], [_ED2], ""),
    ],
)
def test_the_table(
    known: list[HostKey], pins: list[HostKey], revoked: list[HostKey], outcome: str, tmp_path: Path
) -> None:
    """The server shows one key: known_hosts decides, pins can only object, and only unknown hosts are asked about."""
    host, remember_in = _host(known, pins, revoked), tmp_path / "known_hosts"
    if not outcome:
        trust.verify(_ED1, host, _Prompter(), remember_in)  # type: ignore[arg-type]  # it is asked one question only
    elif outcome == "asked":
        with pytest.raises(_Asked, match=_ED1.fingerprint.replace("+", r"\+")):
            trust.verify(_ED1, host, _Prompter(), remember_in)  # type: ignore[arg-type]  # see above
    else:
        with pytest.raises(HostKeyRefused, match=outcome):
            trust.verify(_ED1, host, _Prompter(), remember_in)  # type: ignore[arg-type]  # see above
    assert not remember_in.exists()


@pytest.mark.parametrize(
    ("known", "pins", "first"),
    [
        ([], [], "ssh-ed25519"),
        ([_RSA1], [], "rsa-sha2-512"),
        ([], [_RSA1], "rsa-sha2-512"),
        ([_RSA1], [_ED1], "rsa-sha2-512"),
        ([_RSA1, _ED1], [_ED1], "ssh-ed25519"),
        ([_RSA1, _ED1], [_RSA1], "rsa-sha2-512"),
    ],
)
def test_servers_are_asked_for_what_is_known(known: list[HostKey], pins: list[HostKey], first: str) -> None:
    """The types both known and pinned come first, then known, then pinned ones; none is left out."""
    algorithms = _host(known, pins, []).algorithms
    assert algorithms[0] == first
    assert len(algorithms) == len(set(algorithms)) == 6


def test_pins_that_are_no_keys_are_no_pins() -> None:
    """Rubbish in the registry neither trusts nor objects."""
    assert not Acquaintance.look_up("hpc", "the login node", [], ["", "ssh-ed25519", "ssh-ed25519 !!"]).pins
