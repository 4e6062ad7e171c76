"""What of ours outlives a login here: tried in one login, judged in a later one, and remembered for all that follow.

A trial is a shell that waits and bears the path of its mark in its command line: one on its own, one as a service of
the user's systemd. What is still there after the login that began it has ended is proven to outlive logins. A trial
ends by itself when its mark is removed.
"""

import os
from typing import List

from project.core.follow_modes import DAEMON, SLURM, SYSTEMD
from project.core.layout import ClusterPaths
from project.core.messages import SCHEMA, Document, parse_utc
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.identity import Identity, is_dead_here, is_of_this_boot
from project.wrapper.keeping import finding, launch_service, proof
from project.wrapper.lease import Lease
from project.wrapper.shell import spawn

_TRIED = (DAEMON, SYSTEMD)
_LOOK_EVERY_S = 20
_TRIAL_S = 2 * 86400
#: What was started has begun within this time, looked for so often, or is not counted on.
_BEGIN_S = 5.0
_PATIENCE = 100
_LOOKS = _TRIAL_S // _LOOK_EVERY_S
_TRIAL = f'echo $$ > "$0"; n={_LOOKS}; while [ -e "$0" ] && [ $n -gt 0 ]; do sleep {_LOOK_EVERY_S}; n=$((n-1)); done'


def look(paths: ClusterPaths, login: Identity, clock: Clock) -> Document:
    """Judge what an earlier login tried, or try; return what is known, with `proven` in it once it is.

    Forgotten is what has turned out to be wrong, and what was tried before this host was started again.
    """
    found = finding(paths)
    if "proven" in found:
        if found["proven"] == SLURM or Lease(paths.follower).killed_s() < parse_utc(found["at"]):
            return found
    elif "login" in found and is_of_this_boot(found["login"]):
        if found["login"] == login or not is_dead_here(found["login"]):
            return found
        judged = _judge(paths, found, clock)
        if judged:
            files.replace_json(paths.survival, judged)
            return judged
    return _begin(paths, login, clock)


def _judge(paths: ClusterPaths, trial: Document, clock: Clock) -> Document:
    """Return what the trials of a login that has ended prove; nothing if they are too old to be there anyway."""
    marks = {kind: _mark(paths, kind, trial["login"]) for kind in _TRIED}
    alive = [kind for kind in _TRIED if _is_there(marks[kind])]
    for mark in marks.values():
        files.remove(mark)
    if not alive and clock.now_s() - trial["begun_s"] > _TRIAL_S:
        return {}
    return proof([*alive, SLURM][0], clock)


def _begin(paths: ClusterPaths, login: Identity, clock: Clock) -> Document:
    begun = {"schema": SCHEMA, "login": login, "begun_s": clock.now_s()}
    files.replace_json(paths.survival, begun)
    marks = {kind: _mark(paths, kind, login) for kind in _TRIED}
    spawn(_trial(marks[DAEMON]), log=os.devnull)
    if not launch_service(paths, _trial(marks[SYSTEMD]), os.devnull):
        del marks[SYSTEMD]
    for _ in range(_PATIENCE):
        if all(map(os.path.exists, marks.values())):
            break
        clock.sleep(_BEGIN_S / _PATIENCE)
    return begun


def _trial(mark: str) -> List[str]:
    return ["/bin/sh", "-c", _TRIAL, mark]


def _mark(paths: ClusterPaths, kind: str, login: Identity) -> str:
    return os.path.join(paths.follower, "trial-{}-{}".format(kind, login["pid"]))


def _is_there(mark: str) -> bool:
    """Whether the trial with this mark is still there: it has written its pid into it."""
    pid = (files.read_text(mark) or "").strip()
    return mark in (files.read_text(f"/proc/{pid}/cmdline") or "") if pid.isdigit() else False
