"""What must hold before a sandbox is touched; each thing that does not is told in plain words, with the remedy."""

from __future__ import annotations

import os
import pwd
import re
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from project.core.errors import SandboxError
from project.sandbox.layout import LONGEST_SOCKET_PATH
from project.sandbox.machine import program

if TYPE_CHECKING:
    from project.sandbox.layout import Layout
    from project.sandbox.settings import Settings

_PACKAGES = {
    "slurmctld": ("slurmctld",),
    "slurmd": ("slurmd",),
    "slurm-client": ("sinfo", "squeue", "scancel", "sacctmgr"),
    "slurmdbd": ("slurmdbd",),
    "munge": ("munged",),
    "mariadb-server-core": ("mariadbd",),
    "openssh-server": ("sshd", "ssh-keygen"),
}
"""The Debian and Ubuntu packages, and the programs each is needed for."""

_FOLDER_NAME = re.compile(r"[\w./+@=-]+")
"""What Slurm's, MariaDB's and sshd's configuration files all take as it stands."""


def check_machine() -> None:
    """Refuse a machine or an account that cannot run a sandbox.

    Raises:
        SandboxError: not Linux, packages missing, or an account sshd lets nobody into.
    """
    if sys.platform != "linux":
        raise SandboxError("The sandbox runs on Linux only.", "Use a Linux machine, a container or WSL.")
    _check_packages()
    _check_account()


def _check_packages() -> None:
    missing = [package for package, programs in _PACKAGES.items() if not all(map(program, programs))]
    if missing:
        raise SandboxError(
            f"The sandbox runs real Slurm, and these packages are not installed: {', '.join(missing)}.",
            f"Install them (Debian, Ubuntu) with: {install_command()}",
        )


def install_command() -> str:
    """The one command that installs all the sandbox needs."""
    sudo = "" if os.getuid() == 0 else "sudo "
    return f"{sudo}apt-get install -y --no-install-recommends {' '.join(_PACKAGES)}"


def _check_account() -> None:
    try:
        account = pwd.getpwuid(os.getuid())
    except KeyError:
        raise SandboxError(
            f"The user id {os.getuid()} has no account on this machine, and Slurm and sshd need a name.",
            "Run as a user that `getent passwd` knows.",
        ) from None
    if not os.access(account.pw_shell or "/bin/sh", os.X_OK):
        raise SandboxError(
            f"sshd lets nobody in as {account.pw_name}: the login shell {account.pw_shell} cannot be run.",
            f"Give the account a shell: usermod --shell /bin/sh {account.pw_name}",
        )
    if os.getuid() == 0 and _is_locked(account.pw_name):
        raise SandboxError(
            f"sshd lets nobody in as {account.pw_name}: the account is locked.",
            f"Run as an ordinary user, or unlock it without a password: usermod --password '*' {account.pw_name}",
        )


def _is_locked(user: str) -> bool:
    """Whether sshd takes the account for locked: the password in shadow(5) starts with `!`."""
    try:
        lines = Path("/etc/shadow").read_text().splitlines()
    except FileNotFoundError:
        return False
    return any(line.startswith(f"{user}:!") for line in lines)


def check_folder(layout: Layout, settings: Settings) -> None:
    """Refuse a folder where the daemons could not work, or not safely.

    Raises:
        SandboxError: its name, its place or its contents will not do.
    """
    folder = layout.folder
    if not _FOLDER_NAME.fullmatch(str(folder)):
        raise SandboxError(
            f"{folder} holds characters the daemons' configuration files cannot take.",
            "Choose a path of letters, digits and . _ - + @ = only.",
        )
    _check_contents(layout)
    _check_parents(folder)
    longest = max(len(os.fsencode(layout.longest_socket(node))) for node in settings.node_names)
    if longest > LONGEST_SOCKET_PATH:
        raise SandboxError(
            f"{folder} is too long a path: unix sockets in it would have {longest} bytes, "
            f"and the kernel takes {LONGEST_SOCKET_PATH}.",
            f"Choose a path that is {longest - LONGEST_SOCKET_PATH} bytes shorter.",
        )


def _check_contents(layout: Layout) -> None:
    folder = layout.folder
    nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))  # noqa: PTH110  never raises
    if not nearest.is_dir():
        raise SandboxError(f"{nearest} is not a folder.", "Choose another.")
    if not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        raise SandboxError(f"You may not write in {nearest}.", "Choose a folder of your own.")
    if nearest != folder or layout.settings.exists():
        return
    if any(path != layout.lock for path in folder.iterdir()):
        raise SandboxError(
            f"{folder} holds other things, and no sandbox.", "Choose a folder that is empty or does not exist yet."
        )


def _check_parents(folder: Path) -> None:
    """No third person may be able to put another folder in this one's place: the rule munged keeps, too."""
    for path in (path for path in (folder, *folder.parents) if path.exists()):
        status = path.stat()
        if status.st_uid not in {0, os.getuid()}:
            raise SandboxError(
                f"{path} belongs to user id {status.st_uid}, who could read the sandbox's keys.",
                "Choose a folder below directories that belong to you or to root only.",
            )
        if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            raise SandboxError(
                f"Everybody may write in {path}, and so put another folder in the sandbox's place.",
                f"Choose another folder, or: chmod o-w {path}",
            )
