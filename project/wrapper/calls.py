"""How our programs on the login node are called: a command, its words, an exit code; an error becomes an event."""

import contextlib
import os
import sys
from typing import Callable, List, Mapping, Sequence

from project.core.errors import ExitCode, GridferryError, TransferFailed
from project.core.layout import ClusterPaths
from project.wrapper import keeping
from project.wrapper.events import Events
from project.wrapper.job import Job
from project.wrapper.shell import own_command, spawn

STDOUT = 1

#: Does one command with the words that follow its name; returns the exit code.
Command = Callable[[Sequence[str]], int]


def own_paths() -> ClusterPaths:
    """Return where everything is here: our archive lies in `<root>/control/`."""
    return ClusterPaths(os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0]))))


def guarded(work: Callable[[Events], None], events: Events) -> int:
    """Do work that talks by events; an error becomes an event and an exit code."""
    try:
        work(events)
    except GridferryError as error:
        events.error(error)
        return error.exit_code
    except OSError as error:
        failure = TransferFailed(
            f"the cluster's disk does not do what it should: {error}",
            remedy="Perhaps it is full, or a quota used up (`quota -s` there); try again when there is room",
        )
        events.error(failure)
        return failure.exit_code
    except Exception as error:  # noqa: BLE001 - a traceback shown to a user is a bug
        events.error(_unforeseen(error))
        return ExitCode.INTERNAL
    return ExitCode.OK


def _unforeseen(error: Exception) -> GridferryError:
    """Return what a person is told of an error that nobody foresaw."""
    import traceback  # noqa: PLC0415 - seldom needed

    return GridferryError(
        f"Gridferry met something on the login node that it was not made for ({type(error).__name__}: {error})",
        remedy="This is a bug, not your mistake; please send the details to the maintainers",
        detail=traceback.format_exc(limit=-5),
    )


def start(command: str, *words: str) -> None:
    """Start another of our commands in the background, free of this login."""
    spawn(own_command(command, *words), log=follower_log(own_paths()))


def ensure_follower(job: Job) -> None:
    """Start the follower unless one is alive, in the way that outlives logins on the job's cluster.

    A disk too full for that keeps nobody from other things.
    """
    paths = own_paths()
    with contextlib.suppress(OSError):
        keeping.keep_following(paths, job.cluster.get("follow"), own_command("follow"), follower_log(paths))


def follower_log(paths: ClusterPaths) -> str:
    """Return the file that takes what our programs in the background print."""
    return os.path.join(paths.follower, "log")


def call(program: str, commands: Mapping[str, Command], argv: List[str]) -> int:
    """Run the command that the first word names; return its exit code."""
    os.umask(0o077)
    if not argv or argv[0] not in commands:
        sys.stderr.write("usage: {} {} [UUID]\n".format(program, "|".join(commands)))
        return ExitCode.USAGE
    return int(commands[argv[0]](argv[1:]))
