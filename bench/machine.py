"""On what the figures were taken."""

from __future__ import annotations

import os
import platform
import subprocess


def machine() -> dict[str, str]:
    """Return what matters for the figures: cores, load, versions here."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "load": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
        "OpenSSH": _said("ssh", "-V").split()[0].removeprefix("OpenSSH_"),
    }


def _said(*argv: str) -> str:
    """Return what a command prints about itself; ssh does so on standard error."""
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return (done.stdout or done.stderr).strip()
