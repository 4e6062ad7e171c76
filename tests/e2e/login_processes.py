"""Runs on a cluster: lists the processes that logins started and left, or kills them.

`python3 -c PROGRAM ROOT PORT [kill]`: a process is a login's when its environment says so (SSH_CONNECTION to that
port), or when it is our wrapper below ROOT. Prints each one's environment as JSON, by pid.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path


def look(process: Path, root: str, port: str) -> str | None:
    """Return the environment of a process if it is a login's, else None."""
    try:
        command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
    except OSError:
        return None
    end = f" {port}".encode()
    of_login = any(v.startswith(b"SSH_CONNECTION=") and v.endswith(end) for v in environment.split(b"\0"))
    ours = root.encode() in command and (b".pyz" in command or b"/trial-" in command)
    of_slurm = b"SLURM_JOB_ID=" in environment  # what Slurm started is no login's
    return environment.decode(errors="replace") if of_login or (ours and not of_slurm) else None


def main() -> None:
    """Look, and kill if asked to."""
    root, port = sys.argv[1:3]
    processes = [
        entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()
    ]
    looks = {int(process.name): look(process, root, port) for process in processes}
    found = {pid: environment for pid, environment in looks.items() if environment is not None}
    if sys.argv[3:] == ["kill"]:
        for pid in found:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                os.kill(pid, signal.SIGKILL)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
