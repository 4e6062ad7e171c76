"""What an ssh_config makes of a host, asked of OpenSSH itself and, without it, of paramiko."""

from __future__ import annotations

import getpass
import shutil
from pathlib import Path

import pytest

from project.adapters.ssh.destination import Hop
from project.adapters.ssh.ssh_config import SshConfig

_TEXT = """
Host hpc
  HostName login.hpc.edu
  Port 2222
  User alice
  IdentityFile ~/.ssh/cluster
  IdentityFile "/keys/of %r at %h"
  IdentitiesOnly yes
  CertificateFile /certificates/hpc-cert.pub
  UserKnownHostsFile /site/known_hosts /site/more
  HostKeyAlias cluster
  ProxyJump bob@jump:23,second
Host behind
  ProxyCommand /bin/relay --to %h:%p 100%%
Host none
  ProxyJump none
  ProxyCommand none
"""


@pytest.fixture(params=["ssh -G", "paramiko"])
def config(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SshConfig:
    """The same text, read by either."""
    if request.param == "paramiko":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif not shutil.which("ssh"):
        pytest.skip("OpenSSH is not installed")
    (tmp_path / "config").write_text(_TEXT)
    return SshConfig(tmp_path / "config", [Path("/mine")])


def test_everything_that_is_configured_counts(config: SshConfig) -> None:
    """Names, ports, keys, certificates, known hosts and jump hosts come out with their tokens replaced."""
    hpc = config.resolve(Hop("hpc"))
    assert (hpc.hostname, hpc.port, hpc.username) == ("login.hpc.edu", 2222, "alice")
    assert hpc.identities[:2] == (Path("~/.ssh/cluster").expanduser(), Path("/keys/of alice at login.hpc.edu"))
    assert hpc.identities_only
    assert hpc.certificates == (Path("/certificates/hpc-cert.pub"),)
    assert hpc.known_hosts[:3] == (Path("/mine"), Path("/site/known_hosts"), Path("/site/more"))
    assert hpc.known_as == "cluster"
    assert hpc.jumps == (Hop("jump", 23, "bob"), Hop("second"))


def test_the_login_wins(config: SshConfig) -> None:
    """An explicit port and account override the configured ones."""
    hpc = config.resolve(Hop("hpc", 22, "carol"))
    assert (hpc.port, hpc.username) == (22, "carol")


def test_a_proxy_command_is_filled_in(config: SshConfig) -> None:
    """Its tokens are the real host and port."""
    behind = config.resolve(Hop("behind"))
    assert behind.proxy_command == "/bin/relay --to behind:22 100%"


def test_none_is_none(config: SshConfig) -> None:
    """Proxies can be switched off."""
    direct = config.resolve(Hop("none"))
    assert (direct.jumps, direct.proxy_command) == ((), "")


def test_what_is_not_configured_is_as_usual(config: SshConfig) -> None:
    """Another host is itself, at port 22, as the local user."""
    other = config.resolve(Hop("other.edu"))
    assert (other.hostname, other.port, other.username) == ("other.edu", 22, getpass.getuser())


def test_without_a_file_openssh_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration costs no subprocess; the usual keys beside it are looked for all the same."""
    trap = tmp_path / "ssh"
    trap.write_text("#!/bin/sh\nexit 1\n")
    trap.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    plain = SshConfig(tmp_path / "config", []).resolve(Hop("hpc", None, "me"))
    assert plain.identities == tuple(tmp_path / name for name in ("id_rsa", "id_ecdsa", "id_ed25519"))
    assert SshConfig(None, []).resolve(Hop("hpc", None, "me")).identities == ()
