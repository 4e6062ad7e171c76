"""Starting daemons side by side, each as soon as those it needs are ready."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.core.errors import SandboxError
from project.sandbox import processes, sockets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from project.sandbox.daemons import Daemon
    from project.sandbox.layout import Layout
    from project.sandbox.progress import Progress

_PATIENCE_S = 60.0
_POLL_S = 0.01
_TAIL_LINES = 15

# The shell ends at once, so that the daemon is nobody's child: it outlives us, and no zombie stays with us.
_DETACH = 'umask 022; "$@" >"$0" 2>&1 </dev/null & echo $!'


@dataclass(frozen=True)
class _Started:
    daemon: Daemon
    process: processes.Process | None
    at: float


def start(table: Sequence[Daemon], layout: Layout, environment: Mapping[str, str], progress: Progress) -> None:
    """Start the daemons and return when each listens.

    Raises:
        SandboxError: one of them ended, or does not listen in time; the detail is the end of its log.
    """
    waiting, starting, ready = list(table), list[_Started](), set[str]()
    while waiting or starting:
        for daemon in [daemon for daemon in waiting if ready.issuperset(daemon.after)]:
            waiting.remove(daemon)
            starting.append(_start(daemon, layout, environment))
        listening = sockets.listening()
        for started in [started for started in starting if started.daemon.listens in listening]:
            starting.remove(started)
            ready.add(started.daemon.name)
            progress(started.daemon.name, time.monotonic() - started.at)
        for started in starting:
            _check(started, layout)
        time.sleep(_POLL_S)


def _start(daemon: Daemon, layout: Layout, environment: Mapping[str, str]) -> _Started:
    log = layout.output(daemon.name)
    shell = ["/bin/sh", "-c", _DETACH, str(log), *daemon.argv]
    at = time.monotonic()
    said = subprocess.run(
        shell, env=environment, cwd=layout.folder, stdout=subprocess.PIPE, check=True, start_new_session=True
    ).stdout
    return _Started(daemon, processes.find(int(said)), at)


def _check(started: _Started, layout: Layout) -> None:
    """Complain when the daemon has ended, or takes too long."""
    daemon = started.daemon
    if started.process is None or not processes.is_alive(started.process):
        problem = f"{daemon.name} ended instead of starting."
    elif time.monotonic() - started.at > _PATIENCE_S:
        problem = f"{daemon.name} does not listen on {daemon.listens} after {_PATIENCE_S:.0f} s."
    else:
        return
    log = layout.output(daemon.name)
    tail = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    raise SandboxError(problem, f"The whole of what it said is in {log}.", detail="\n".join(tail))
