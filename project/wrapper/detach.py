"""Lets work go on when the connection that started it is lost."""

import os
import sys
from typing import Callable

from project.core.errors import ExitCode


def detach(work: Callable[[int], int], *, log: str) -> int:
    """Run `work` in a session of its own and copy to standard output what it writes; return its exit code.

    Args:
        work: gets a file descriptor to write to; a write after the connection was lost raises OSError there.
        log: where anything unexpected it prints goes.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _become_free(log)
        os._exit(_exit_code(work, writing))
    os.close(writing)
    _copy(reading, 1)
    _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else ExitCode.INTERNAL


def _become_free(log: str) -> None:
    """Leave the login's session and let go of its standard files."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        kept = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:  # a full disk: what there is to say is told by events, too
        kept = os.dup(nothing)
    for source, target in ((nothing, 0), (kept, 1), (kept, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(kept)


def _exit_code(work: Callable[[int], int], writing: int) -> int:
    try:
        return work(writing)
    except BaseException:  # noqa: BLE001 - the child of a fork must end here, whatever happened
        import traceback  # noqa: PLC0415 - seldom needed

        traceback.print_exc()
        return ExitCode.INTERNAL
    finally:
        for stream in (sys.stdout, sys.stderr):  # os._exit would drop what they hold back
            stream.flush()


def _copy(reading: int, target: int) -> None:
    """Copy until the work ends; the connection may go away meanwhile."""
    while True:
        data = os.read(reading, 65536)
        if not data:
            return
        while data:
            data = data[os.write(target, data) :]
