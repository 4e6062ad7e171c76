"""How the follower is kept alive when the login that starts it ends: as the cluster says, or as was proven there."""

import json
import os
import shlex
from typing import Any, Dict, Optional, Sequence

from project.core.follow_modes import AUTO, DAEMON, SYSTEMD
from project.core.layout import ClusterPaths
from project.core.messages import SCHEMA
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.identity import current_login
from project.wrapper.lease import Lease
from project.wrapper.shell import clean_environment, run, spawn

_MANAGER_LIMIT_S = 15.0
#: The environment comes from a private file: everybody may read the words of a command.
_SERVICE = '. "$0" && cd / && log=$1 && shift && exec "$@" >>"$log" 2>&1 </dev/null'


def finding(paths: ClusterPaths) -> Dict[str, Any]:
    """Return what is known of what outlives a login here; `proven` is in it once that is known."""
    return dict(files.read_json(paths.survival) or {})


def kept_by(paths: ClusterPaths, follow: Optional[str]) -> str:
    """Return a cluster's `follow`, or for "auto" what is proven to outlive a login, "" while nothing is."""
    return follow if follow not in (None, "", AUTO) else str(finding(paths).get("proven", ""))


def proof(mode: str, clock: Clock) -> Dict[str, Any]:
    """Return the finding that this outlives a login here; it is for `paths.survival`."""
    return {"schema": SCHEMA, "proven": mode, "at": clock.now_utc(), "host": os.uname().nodename}


def keep_following(paths: ClusterPaths, follow: Optional[str], argv: Sequence[str], log: str) -> None:
    """Start the follower unless one is alive; one that has outlived the login that started it proves what it may.

    Args:
        paths: of this cluster.
        follow: of the cluster.
        argv: the follower's command line, to which the login that starts it is added.
        log: takes what it prints.
    """
    mode, lease = kept_by(paths, follow), Lease(paths.follower)
    if not lease.is_alive_here():  # one elsewhere may have just died; ours finds out, and ends if it has not
        launch(paths, mode, [*argv, json.dumps(current_login())], log)
    elif mode == "" and lease.outlived_login():
        files.replace_json(paths.survival, proof(DAEMON, Clock()))


def launch(paths: ClusterPaths, mode: str, argv: Sequence[str], log: str) -> None:
    """Start a program so that it outlives this login, if anything does."""
    if mode != SYSTEMD or not launch_service(paths, argv, log):
        spawn(argv, log=log)


def launch_service(paths: ClusterPaths, argv: Sequence[str], log: str) -> bool:
    """Start a program as a service of the user's systemd; whether that worked."""
    environment = os.path.join(paths.follower, "environment")
    lines = [f"{name}={shlex.quote(value)}" for name, value in sorted(clean_environment().items())]
    files.replace(environment, "\n".join(["set -a", *lines, ""]).encode())
    command = ["systemd-run", "--user", "--quiet", "--collect", "/bin/sh", "-c", _SERVICE, environment, log, *argv]
    manager = {"XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}"}
    try:
        return run(command, timeout_s=_MANAGER_LIMIT_S, environment=manager).exit_code == 0
    except FileNotFoundError:
        return False
