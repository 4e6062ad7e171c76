"""What the sandbox must know about the machine it runs on and the account it runs as."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass

PATH = os.pathsep.join(["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"])
"""Where Debian and Ubuntu install the daemons and the commands; nobody's own PATH has a say."""


@dataclass(frozen=True)
class Machine:
    """Account, host name and abilities.

    Attributes:
        user: login name of the account everything runs as.
        home: that account's home directory.
        host: the short host name; Slurm compares it with its own idea of it.
        has_runc: whether OCI containers can run in jobs.
    """

    user: str
    home: str
    host: str
    has_runc: bool


def this_machine() -> Machine:
    """Ask this machine."""
    account = pwd.getpwuid(os.getuid())
    return Machine(
        user=account.pw_name,
        home=account.pw_dir,
        host=socket.gethostname().partition(".")[0],
        has_runc=program("runc") is not None,
    )


def program(name: str) -> str | None:
    """The full path of an installed program; None when it is not installed."""
    return shutil.which(name, path=PATH)


def slurm_version() -> tuple[int, int]:
    """Major and minor, such as (22, 5); from `slurmd -V`, which says `slurm-wlm 22.05.8` in Debian."""
    said = subprocess.run(["slurmd", "-V"], env={"PATH": PATH}, capture_output=True, text=True, check=True).stdout
    numbers = re.search(r"(\d+)\.(\d+)", said)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
