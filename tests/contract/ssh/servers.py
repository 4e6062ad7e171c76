"""Real OpenSSH servers on loopback ports, as root or as an ordinary user."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.contract import processes

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence

#: Where Debian, Red Hat, Arch and macOS keep what runs SFTP for sshd.
SFTP_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server")

#: What sshd reads first counts, so this comes last.
_DEFAULTS = """
ListenAddress 127.0.0.1
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
AllowTcpForwarding yes
LogLevel VERBOSE
SetEnv SHLVL=2
"""  # the last one has bash leave out ~/.bashrc, which may take seconds on a developer's machine


def find_sshd() -> str | None:
    """Return the path of sshd; it insists on being called by it."""
    return shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


def find_sftp_server() -> str | None:
    """Return the path of the program that sshd runs for SFTP, when it does not do that itself."""
    return next((path for path in SFTP_SERVERS if Path(path).exists()), None)


@dataclass(frozen=True)
class SshServer:
    """A running sshd.

    Attributes:
        port: where it listens.
        process: its listening process.
        host_keys: its public keys, "ssh-ed25519 AAAA…".
    """

    port: int
    process: subprocess.Popen[bytes]
    host_keys: tuple[str, ...]

    @property
    def known_as(self) -> str:
        """Its name in known_hosts."""
        return f"[127.0.0.1]:{self.port}"

    @property
    def known_hosts(self) -> str:
        """The lines about it in known_hosts."""
        return "".join(f"{self.known_as} {key}\n" for key in self.host_keys)

    @property
    def serves_somebody(self) -> bool:
        """Whether there is a connection right now."""
        return any(_descendants(self.process.pid))

    def peak_mib(self) -> float:
        """Return the most memory that any process of a login has had so far, in MiB."""
        peaks = [0.0]
        for pid in _descendants(self.process.pid):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
                peaks.append(int(found[1]) / 1024 if found else 0.0)
        return max(peaks)

    def cut_connections(self) -> None:
        """Kill whatever serves a connection right now; the server itself goes on."""
        for pid in list(_descendants(self.process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> Iterator[int]:
    """Yield the processes that a process has started, and those that they have."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended meanwhile
        return
    for child in map(int, children):
        yield child
        yield from _descendants(child)


@contextlib.contextmanager
def ssh_server(
    folder: Path, host_keys: Sequence[Path], authorized_keys: Path, *lines: str, sftp: str = "internal-sftp"
) -> Iterator[SshServer]:
    """Run sshd with some host keys and further lines of configuration; without SFTP if `sftp` is empty."""
    sshd = find_sshd()
    assert sshd
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd as root locks itself in, made by the boot elsewhere
    port = processes.free_port()
    config = folder / f"sshd_config_{port}"
    subsystem = [f"Subsystem sftp {sftp}"] if sftp else []
    keys = [f"HostKey {key}" for key in host_keys]
    settings = [f"Port {port}", *lines, *keys, *subsystem, f"AuthorizedKeysFile {authorized_keys}", _DEFAULTS]
    config.write_text("\n".join(settings))
    with processes.running([sshd, "-D", "-e", "-f", str(config)], folder / f"sshd_{port}.log") as process:
        processes.wait_for_port(port, process)
        public = tuple(_public(key) for key in host_keys)
        yield SshServer(port, process, public)


def _public(key: Path) -> str:
    return " ".join(key.with_name(key.name + ".pub").read_text().split()[:2])


def user() -> str:
    """Return who runs the tests, and so who can log in."""
    return getpass.getuser()
