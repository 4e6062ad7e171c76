"""Every error Gridferry tells a person about, as one tree.

GridferryError
├── UsageError               the command line itself is wrong
├── InvalidInput             a job, modules or settings file has problems (all of them at once)
├── ModuleFailed             a staging, preprocessing or postprocessing module failed
├── Unreachable              the login node does not answer as SSH          (trying again may help)
├── AuthenticationFailed     the login node answered and refused the key
├── HostKeyRefused           the login node's host key is unknown or changed
├── RegistryError            the registry refused or does not know
│   └── RegistryUnavailable  the registry does not answer                   (trying again may help)
├── StageFailed              requirements or compilation ended non-zero on the login node
├── SourceNeeded             the cluster cannot clone the repository        (the client brings it)
├── SubmissionRefused        Slurm refused the job for good
├── SubmissionUnknown        whether Slurm took the job is not known yet    (resuming finds out)
├── SchedulerUnavailable     Slurm does not answer                          (trying again may help)
├── WaitsForRoom             a campaign's part is not submitted yet         (it follows by itself)
├── ChecksWarned             no check of `doctor` failed, some warned
├── ChecksFailed             a check of `doctor` failed
├── NotEnded                 the job has not ended, so there is nothing to fetch yet
├── JobFailed                the job ended, and not well
│   └── Cancelled            its owner cancelled it before Slurm had it
├── StillAlive               what was cancelled does not die                (trying again may help)
├── TransferFailed           files did not arrive whole                     (trying again resumes)
│   └── TransferStopped      nor will any other: connection lost, disk full (trying again resumes)
└── SandboxError             the sandbox cannot start or stop
"""

import enum
from typing import Any, Dict, Mapping


class ExitCode(enum.IntEnum):
    """What `python -m project` exits with; the README's table is compared with this by a test."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    INVALID_INPUT = 3
    MODULE_FAILED = 4
    UNREACHABLE = 5
    AUTHENTICATION = 6
    HOST_KEY = 7
    REGISTRY = 8
    STAGE_FAILED = 9
    SUBMISSION_REFUSED = 10
    SUBMISSION_UNKNOWN = 11
    NOT_ENDED = 12
    JOB_FAILED = 13
    TRANSFER = 14
    SANDBOX = 15
    SCHEDULER = 16
    STILL_ALIVE = 17
    CHECKS_WARNED = 18
    CHECKS_FAILED = 19
    INTERRUPTED = 130


class GridferryError(Exception):
    """Base of the tree.

    Args:
        message: what happened, in words fit for a researcher.
        remedy: what to do about it, one sentence; empty when nothing can be said.
        detail: the tail of what the failing program printed; empty when there is none.

    Attributes:
        exit_code: what the command line exits with.
        transient: whether the same thing may work when tried again.
    """

    exit_code = ExitCode.INTERNAL
    transient = False

    def __init__(self, message: str, remedy: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.detail = detail


class UsageError(GridferryError):
    """The command line is wrong."""

    exit_code = ExitCode.USAGE


class InvalidInput(GridferryError):
    """A file the user wrote has problems; all of them are told."""

    exit_code = ExitCode.INVALID_INPUT


class ModuleFailed(GridferryError):
    """A user's module ended non-zero, printed no JSON, or took too long."""

    exit_code = ExitCode.MODULE_FAILED


class Unreachable(GridferryError):
    """The login node does not answer as SSH within the limit.

    Attributes:
        step: of the way there at which it failed: `name`, `port`, `banner`; "" where that is not known.
    """

    exit_code = ExitCode.UNREACHABLE
    transient = True
    step = ""

    def at(self, step: str) -> "Unreachable":
        """Return this error, with the step of the way at which it happened."""
        self.step = step
        return self


class AuthenticationFailed(GridferryError):
    """The login node answered and refused what we offered."""

    exit_code = ExitCode.AUTHENTICATION


class HostKeyRefused(GridferryError):
    """The login node's host key is unknown, changed, or disagrees with a pin."""

    exit_code = ExitCode.HOST_KEY


class RegistryError(GridferryError):
    """The registry refused a request.

    Attributes:
        retry_after_s: how long it wants to be left alone, 0 if it does not say.
    """

    exit_code = ExitCode.REGISTRY
    retry_after_s = 0.0


class RegistryUnavailable(RegistryError):
    """The registry does not answer."""

    transient = True


class StageFailed(GridferryError):
    """A command of `requirements` or `compilation` failed on the login node."""

    exit_code = ExitCode.STAGE_FAILED


class SourceNeeded(GridferryError):
    """The cluster cannot clone the job's repository itself; the client brings it."""

    exit_code = ExitCode.TRANSFER
    transient = True


class SubmissionRefused(GridferryError):
    """Slurm refused the job; submitting the same again would be refused again."""

    exit_code = ExitCode.SUBMISSION_REFUSED


class SubmissionUnknown(GridferryError):
    """It could not be found out whether Slurm took the job."""

    exit_code = ExitCode.SUBMISSION_UNKNOWN
    transient = True


class SchedulerUnavailable(GridferryError):
    """Slurm does not answer."""

    exit_code = ExitCode.SCHEDULER
    transient = True


class WaitsForRoom(GridferryError):
    """A part of a campaign is not in Slurm's queue yet: others come first, or a limit is reached."""

    exit_code = ExitCode.SCHEDULER
    transient = True


class ChecksWarned(GridferryError):
    """`doctor` found something doubtful, and nothing broken."""

    exit_code = ExitCode.CHECKS_WARNED


class ChecksFailed(GridferryError):
    """`doctor` found something broken."""

    exit_code = ExitCode.CHECKS_FAILED


class NotEnded(GridferryError):
    """The job has not ended yet."""

    exit_code = ExitCode.NOT_ENDED
    transient = True


class JobFailed(GridferryError):
    """The job ended in another state than COMPLETED."""

    exit_code = ExitCode.JOB_FAILED


class Cancelled(JobFailed):
    """The job was cancelled before Slurm had it."""


class StillAlive(GridferryError):
    """Slurm was asked to cancel a job, and some of it does not die."""

    exit_code = ExitCode.STILL_ALIVE
    transient = True


class TransferFailed(GridferryError):
    """Files did not arrive whole."""

    exit_code = ExitCode.TRANSFER
    transient = True


class TransferStopped(TransferFailed):
    """A transfer ended in a way that makes it useless to go on with other files."""


class SandboxError(GridferryError):
    """The sandbox cannot do what was asked."""

    exit_code = ExitCode.SANDBOX


def as_told(error: GridferryError) -> Dict[str, str]:
    """Write an error so that `told` makes the same of it elsewhere, or later; its type is the nearest of the tree."""
    kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == GridferryError.__module__)
    return {"type": kind, "message": error.message, "remedy": error.remedy, "detail": error.detail}


def told(document: Mapping[str, Any]) -> GridferryError:
    """Return the error of the tree that was told; of a type nobody knows here the root."""
    kind: Any = globals().get(str(document.get("type")))
    if not (isinstance(kind, type) and issubclass(kind, GridferryError)):
        kind = GridferryError
    error: GridferryError = kind.__new__(kind)
    GridferryError.__init__(error, *(str(document.get(key) or "") for key in ("message", "remedy", "detail")))
    return error


def told_again(document: Mapping[str, Any]) -> GridferryError:
    """Return the error with which a job ended, for one who would go on with it."""
    error = told(document)
    parts = (error.remedy.rstrip(". "), "This job has ended; its job file can be submitted anew")
    error.remedy = ". ".join(filter(None, parts))
    return error
