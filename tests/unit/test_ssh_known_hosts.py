"""Which lines of known_hosts speak of which host."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from project.adapters.ssh import known_hosts
from project.adapters.ssh.known_hosts import HostKey
from project.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS"


@pytest.mark.parametrize(
    ("names", "name", "covered"),
    [
        ("login.hpc.edu", "login.hpc.edu", True),
        ("login.hpc.edu", "LOGIN.hpc.edu", True),
        ("LOGIN.hpc.edu", "login.hpc.edu", True),
        ("login.hpc.edu", "login2.hpc.edu", False),
        ("login.hpc.edu,192.0.2.7", "192.0.2.7", True),
        ("*.hpc.edu", "login.hpc.edu", True),
        ("*.hpc.edu,!login.hpc.edu", "login.hpc.edu", False),
        ("login?.hpc.edu", "login3.hpc.edu", True),
        ("login.hpc.edu", "[login.hpc.edu]:2222", False),
        ("[login.hpc.edu]:2222", "[login.hpc.edu]:2222", True),
        ("[login.hpc.edu]:2222", "login.hpc.edu", False),
        ("[*.hpc.edu]:*", "[login.hpc.edu]:2222", True),
        ("|1|eUnySGm4IClIeoAlsFnUeZQtzqk=|5lbFp1cmrFi9X7ar9zBE77nMuUA=", "localhost", True),
        ("|1|eUnySGm4IClIeoAlsFnUeZQtzqk=|5lbFp1cmrFi9X7ar9zBE77nMuUA=", "otherhost", False),
        ("|1|nonsense", "localhost", False),
    ],
)
def test_names_and_patterns(names: str, name: str, covered: bool, tmp_path: Path) -> None:
    """Lists, wildcards, exceptions, ports and hashes mean what sshd(8) says."""
    file = tmp_path / "known_hosts"
    file.write_text(f"{names} ssh-ed25519 {_KEY} a comment\n")
    assert bool(list(known_hosts.entries([file], name))) is covered


def test_what_is_no_entry_says_nothing(tmp_path: Path) -> None:
    """Comments, blank and damaged lines are passed over; line numbers count them all; missing files are empty."""
    file = tmp_path / "known_hosts"
    lines = ["# hpc ssh-ed25519 AAAA", "", "hpc", "hpc ssh-ed25519", "hpc ssh-ed25519 !!!", f"hpc ssh-ed25519 {_KEY}"]
    file.write_text("\n".join(lines))
    (entry,) = known_hosts.entries([tmp_path / "none", file], "hpc")
    assert entry.where == f"{file}:6"


def test_markers_are_kept(tmp_path: Path) -> None:
    """@revoked and @cert-authority stand before the names."""
    file = tmp_path / "known_hosts"
    file.write_text(f"@revoked * ssh-ed25519 {_KEY}\n@cert-authority *.edu\tssh-ed25519 {_KEY}\n")
    assert [entry.marker for entry in known_hosts.entries([file], "hpc.edu")] == ["@revoked", "@cert-authority"]


def test_an_unreadable_file_is_no_empty_file(tmp_path: Path) -> None:
    """What cannot be read might say that a key has changed, so nothing goes on."""
    with pytest.raises(UsageError, match="cannot be read"):
        list(known_hosts.entries([tmp_path], "hpc"))


def test_what_is_remembered_is_found_again(tmp_path: Path) -> None:
    """A confirmed key is added to a private file, behind what is there."""
    file = tmp_path / "made" / "known_hosts"
    key = HostKey.parse("ssh-ed25519", _KEY)
    assert key
    known_hosts.append(file, "[first]:2222", key)
    known_hosts.append(file, "second", key)
    assert [entry.key for entry in known_hosts.entries([file], "[first]:2222")] == [key]
    assert len(file.read_text().splitlines()) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_fingerprints_are_those_of_openssh() -> None:
    """People compare them with what their site publishes."""
    key = HostKey.parse("ssh-ed25519", _KEY)
    assert key
    assert key.fingerprint == "SHA256:qH8baHrA5X0qCBovKCZyM02Q7TFtK4GMqVgOo4TZJAE"
