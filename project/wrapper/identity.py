"""Which process, of which boot of which host: pids alone are used again, and mean nothing on another login node."""

import contextlib
import os
from typing import Any, Dict, List, Optional

from project.wrapper import files

Identity = Dict[str, Any]

#: In the environment of all that a login starts (sshd(8)); what we start in the background is free of it.
_LOGIN_VARIABLE = "\0SSH_CONNECTION="


def identity(pid: int) -> Identity:
    """Return what names a process here for good."""
    return dict(_here(), pid=pid, started=_started(pid))


def _here() -> Identity:
    """Return what tells where a pid means something: one boot of one host, and there one pid_namespaces(7)."""
    return {"host": os.uname().nodename, "boot": _boot_id(), "pids": _pid_namespace()}


def is_of_this_boot(process: Identity) -> bool:
    """Whether a process was started since this very host booted, so that its end can be seen here."""
    here = _here()
    return all(here.values()) and {key: process.get(key) for key in here} == here


def is_dead_here(process: Identity) -> bool:
    """Whether a process was one of this very boot of this host and is no more."""
    return is_of_this_boot(process) and _started(int(process["pid"])) != process.get("started")


def current_login() -> Optional[Identity]:
    """Return the process that holds our login, sshd's for this connection; None if no login started us."""
    pid = os.getpid()
    while pid > 1 and _LOGIN_VARIABLE in _environment(pid):
        pid = int((_stat_fields(pid) or ["", "0"])[1])
    return identity(pid) if pid not in (0, 1, os.getpid()) else None


def _environment(pid: int) -> str:
    try:
        return "\0" + (files.read_text(f"/proc/{pid}/environ") or "")
    except OSError:  # somebody else's
        return ""


def _stat_fields(pid: int) -> List[str]:
    """Return the fields of /proc/<pid>/stat from the state on (proc(5)); none if there is no such process."""
    return (files.read_text(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()


def _boot_id() -> str:
    return (files.read_text("/proc/sys/kernel/random/boot_id") or "").strip()


def _pid_namespace() -> str:
    with contextlib.suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def _started(pid: int) -> str:
    """Return when a process here started, in clock ticks since boot; "" if there is none or it is a zombie."""
    fields = _stat_fields(pid)
    return "" if not fields or fields[0] == "Z" else fields[19]
