"""What sbatch says when it refuses a job for good, as against when it could not decide.

Only words on this list are taken for a refusal. Everything else leaves the outcome unknown, and then the queue and
the accounting are asked before anything is tried again: toil#5459 and sisyphus#281 tell of jobs that ran although
sbatch had ended with exit 1.
Source: slurm/src/common/slurm_errno.c, sbatch(1); the ones marked * were seen on 22.05.8.
"""

_LIMITS = "job violates accounting/qos policy"
_REFUSALS = (
    "invalid partition name",  # *
    "invalid account or account/partition combination",
    "invalid qos specification",
    "invalid job array specification",  # *
    "invalid generic resource (gres) specification",  # *
    "invalid trackable resource",
    "invalid feature specification",  # *
    "invalid reservation",
    "requested reservation is invalid",
    "requested node configuration is not available",  # *
    "more processors requested than permitted",
    "node count specification invalid",
    "memory required by task is not available",
    "memory specification can not be satisfied",  # *
    "invalid time specification",
    "invalid wckey specification",
    "time limit specification",
    "requested time limit is invalid",
    _LIMITS,
    "access/permission denied",
    "user's group not permitted to use this partition",
    "job dependency problem",
    "this does not look like a batch script",  # *
    "requested partition configuration not available now",
    "invalid --",
    "unrecognized option",
    "invalid option",
    "invalid numeric value",
    "batch script is empty",
    "pathname of a file, directory or other parameter too long",
    "job size specification",
    "unable to open file",
    "invalid user id",
    "unmatched `",  # * a directive with a quote that is not closed
    "command not found",  # there is no sbatch here
    "unspecified error",  # how a job_submit plugin's no ends, after its own words
    "no partition specified",
    "requested nodes not in this partition",
    "invalid node name",
    "count specification invalid",
    "task distribution specification invalid",
    "invalid license specification",
    "access denied to requested reservation",
    "circular job dependency",
    "operation not supported",
    "breached requested qos usage threshold",
)

_YOURS = "; `sacctmgr show associations user=$USER format=account,qos` on the cluster lists yours"
_REMEDIES = (
    ("invalid account or account/partition", f"Correct resources.account, or leave it out{_YOURS}"),  # *
    ("invalid qos", f"Correct resources.qos, or leave it out{_YOURS}"),  # *
    ("reservation", "Correct resources.reservation; `scontrol show reservations` lists those there are"),  # *
    ("invalid partition name", "Correct resources.partition; `sinfo` lists those there are"),  # *
    ("(gres)", "Correct resources.gpus"),  # *
    ("feature", "Correct resources.constraint; `sinfo --format=%f` lists the features there are"),  # *
    ("job array", "Correct resources.nbr_jobs_in_array; the cluster takes no arrays of that size or form"),  # *
    ("time limit", "Correct resources.duration"),
    ("memory", "Lower resources.memory_per_thread"),  # *
    (_LIMITS, "Ask for less, or wait until jobs of yours have ended; an administrator sets these limits"),
)
_ANY = "Change what it names in the job file and submit again"

#: Before these words sbatch tells what the submission itself came to; lines above may be a plugin's.
_VERDICT = "batch job submission failed:"

#: Words of one who was not heard, or shall try again; they are no answer, however often they come.
_SILENCE = (
    "unable to contact", "timed out", "connect", "communication", "message send", "message receive", "socket",
    "zero bytes", "temporarily", "try again", "retry", "standby", "authentication", "credential", "munge", "shutting",
)  # fmt: skip


def is_refusal(stderr: str) -> bool:
    """Whether sbatch's complaint means that the same job would be refused again."""
    said = _verdict(stderr)
    return any(words in said for words in _REFUSALS)


def remedy(stderr: str) -> str:
    """Return what a person can do about a refusal."""
    said = _verdict(stderr)
    return next((remedy for words, remedy in _REMEDIES if words in said), _ANY)


def is_about_limits(stderr: str) -> bool:
    """Whether a refusal is one that the end of other jobs may lift: so many may be in the queue, and no more."""
    return _LIMITS in stderr.lower()


def is_silence(stderr: str) -> bool:
    """Whether sbatch's complaint says only that it got no answer to speak of."""
    said = _verdict(stderr)
    return not said or any(words in said for words in _SILENCE)


def _verdict(stderr: str) -> str:
    return stderr.lower().rpartition(_VERDICT)[2].strip()
