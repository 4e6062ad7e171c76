"""Every job state Slurm documents, and what it means for a job that someone waits for.

Source of the words: "JOB STATE CODES" of sacct(1) and "JOB STATES" of squeue(1), Slurm 20.11 to 26.05.
"""

import enum
from typing import Dict, Iterable, List, NamedTuple, Optional


class Phase(enum.Enum):
    """Where a state stands on the way of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown"


class SlurmState(NamedTuple):
    """One state of a job or an array task.

    Attributes:
        word: Slurm's long name (`COMPLETED`), or the unknown word as it was printed.
        phase: what it means.
        severity: of several ended tasks the one with the highest speaks for the whole job.
    """

    word: str
    phase: Phase
    severity: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.phase is Phase.ENDED


#: word, short name, phase, severity (only for ended ones; higher is worse)
_TABLE = (
    ("PENDING", "PD", Phase.WAITING, 0),
    ("CONFIGURING", "CF", Phase.WAITING, 0),  # nodes allocated, still booting
    ("POWER_UP_NODE", "PO", Phase.WAITING, 0),
    ("REQUEUED", "RQ", Phase.WAITING, 0),
    ("REQUEUE_FED", "RF", Phase.WAITING, 0),
    ("REQUEUE_HOLD", "RH", Phase.WAITING, 0),
    ("RESV_DEL_HOLD", "RD", Phase.WAITING, 0),
    ("SPECIAL_EXIT", "SE", Phase.WAITING, 0),  # requeued and held by its epilog
    ("LAUNCH_FAILED", "LF", Phase.WAITING, 0),  # requeued and held: seen with a bad --container bundle
    ("EXPEDITING", "EX", Phase.WAITING, 0),  # expedited requeue (25.05)
    ("RUNNING", "R", Phase.RUNNING, 0),
    ("COMPLETING", "CG", Phase.RUNNING, 0),
    ("SUSPENDED", "S", Phase.RUNNING, 0),
    ("STOPPED", "ST", Phase.RUNNING, 0),
    ("RESIZING", "RS", Phase.RUNNING, 0),
    ("SIGNALING", "SI", Phase.RUNNING, 0),
    ("STAGE_OUT", "SO", Phase.RUNNING, 0),
    ("UPDATE_DB", "UD", Phase.RUNNING, 0),
    ("COMPLETED", "CD", Phase.ENDED, 0),
    ("REVOKED", "RV", Phase.ENDED, 1),  # federation: a sibling started elsewhere
    ("CANCELLED", "CA", Phase.ENDED, 2),
    ("PREEMPTED", "PR", Phase.ENDED, 3),
    ("DEADLINE", "DL", Phase.ENDED, 4),
    ("TIMEOUT", "TO", Phase.ENDED, 5),
    ("FAILED", "F", Phase.ENDED, 6),
    ("OUT_OF_MEMORY", "OOM", Phase.ENDED, 7),
    ("RECONFIG_FAIL", "RC", Phase.ENDED, 8),
    ("NODE_FAIL", "NF", Phase.ENDED, 9),
    ("BOOT_FAIL", "BF", Phase.ENDED, 10),
)

SLURM_STATES: Dict[str, SlurmState] = {word: SlurmState(word, phase, severity) for word, _, phase, severity in _TABLE}
_BY_SHORT_NAME = {short: SLURM_STATES[word] for word, short, _, _ in _TABLE}

PENDING = SLURM_STATES["PENDING"].word
RUNNING = SLURM_STATES["RUNNING"].word
COMPLETED = SLURM_STATES["COMPLETED"].word
FAILED = SLURM_STATES["FAILED"].word
CANCELLED = SLURM_STATES["CANCELLED"].word
COMPLETING = SLURM_STATES["COMPLETING"].word


def parse_state(text: str) -> SlurmState:
    """Read a state as any Slurm command prints it: `CANCELLED by 1000`, `COMPLETED+`, `R`, `running`.

    An unknown word is kept as it is, with `Phase.UNKNOWN`; it is never an error.
    """
    words = text.strip().upper().split()
    word = words[0].rstrip("+") if words else ""
    return SLURM_STATES.get(word) or _BY_SHORT_NAME.get(word) or SlurmState(word or "UNKNOWN", Phase.UNKNOWN)


def is_fault_of_nodes(word: str) -> bool:
    """Whether `word` says that not the job but a node under it has failed."""
    return parse_state(word).word in ("NODE_FAIL", "BOOT_FAIL")


def is_end_state(word: str) -> bool:
    """Whether `word` is a Slurm state in which a job has ended."""
    return parse_state(word).ended


def aggregate(states: Iterable[SlurmState], expected_tasks: int = 1) -> Optional[str]:
    """Return the one word that speaks for a whole job, or None when nothing is known.

    An array is PENDING until its first task starts, RUNNING until its last has ended, then its worst end.

    Args:
        states: of the tasks seen so far.
        expected_tasks: how many there must be before the whole can have ended.
    """
    known: List[SlurmState] = list(states)
    if not known:
        return None
    ended = [state for state in known if state.ended]
    if len(ended) == len(known) and len(known) >= expected_tasks:
        return max(ended, key=lambda state: state.severity).word
    if all(state.phase is Phase.UNKNOWN for state in known):
        return known[0].word
    if ended or any(state.phase is Phase.RUNNING for state in known):
        return RUNNING
    return PENDING
