"""Brings a job that is a Git repository: cloned here, or unpacked from what the client cloned for us."""

import os
import shutil
from typing import Any, Dict, Sequence

from project.core.errors import SourceNeeded
from project.core.job_source import ALLOWED_PROTOCOLS, submodule_protocols
from project.core.layout import JobPaths
from project.wrapper import files
from project.wrapper.parcel import unpack
from project.wrapper.shell import run

#: A clone that takes longer is given up: the cluster probably has no way out. The client brings it then.
CLONE_LIMIT_S = 300.0
_TRY_LIMIT_S = 20.0
#: There is no terminal at which ssh could ask; which ssh, and with which key, the user's own settings of Git say.
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1",
    "GIT_HTTP_LOW_SPEED_TIME": "20",
}


def bring_source(paths: JobPaths, source: Dict[str, Any]) -> None:
    """Make the working directory the clone of a repository at its commit, submodules included.

    Args:
        paths: of the job.
        source: `url` and `commit`.

    Raises:
        SourceNeeded: it cannot be cloned from here; the client shall bring it.
        TransferFailed: what the client brought cannot be unpacked.
    """
    if os.path.exists(paths.source):
        unpack(paths.source, paths.work)
        return
    if files.read_text(paths.source_needed) is None:
        if _clone(paths.work, str(source["url"]), str(source["commit"])):
            return
        files.create(paths.source_needed, b"")
    raise SourceNeeded(
        "the repository cannot be cloned on the login node", remedy="It is cloned here and brought along"
    )


def _clone(folder: str, url: str, commit: str) -> bool:
    """Clone into an empty folder; whether that worked. Nothing half-done stays."""
    if shutil.which("git") is None:
        return False
    steps = (
        (["git", "ls-remote", "--quiet", "--", url, "HEAD"], _TRY_LIMIT_S, ALLOWED_PROTOCOLS),
        (["git", "clone", "--quiet", "--no-checkout", "--", url, folder], CLONE_LIMIT_S, ALLOWED_PROTOCOLS),
        (["git", "-C", folder, "checkout", "--quiet", "--detach", commit], CLONE_LIMIT_S, ALLOWED_PROTOCOLS),
        (
            ["git", "-C", folder, "submodule", "--quiet", "update", "--init", "--recursive"],
            CLONE_LIMIT_S,
            submodule_protocols(url),
        ),
    )
    shutil.rmtree(folder)
    files.make_folder(folder)
    if all(_git(argv, limit_s, protocols) for argv, limit_s, protocols in steps):
        return True
    shutil.rmtree(folder)
    files.make_folder(folder)
    return False


def _git(argv: Sequence[str], limit_s: float, protocols: str) -> bool:
    environment = dict(_ENVIRONMENT, GIT_ALLOW_PROTOCOL=protocols)
    return run(argv, timeout_s=limit_s, environment=environment).exit_code == 0
