"""The states Gridferry gives a job itself; between SUBMITTED and POSTPROCESSING they are Slurm's words."""

import enum
from typing import Dict, Optional

from project.core.slurm.states import COMPLETED, PENDING, RUNNING, is_end_state


class GatewayState(str, enum.Enum):
    """What Gridferry is doing with a job (docs/protocol.md says who sets which)."""

    CREATED = "CREATED"
    UPLOADED = "UPLOADED"
    PREPROCESSING = "PREPROCESSING"
    COMPILING = "COMPILING"
    SUBMITTED = "SUBMITTED"
    POSTPROCESSING = "POSTPROCESSING"
    DONE = "DONE"
    ERROR = "ERROR"


NOT_SUBMITTED = "NOT_SUBMITTED"

_BEFORE_SLURM = frozenset(
    state.value
    for state in (
        GatewayState.CREATED,
        GatewayState.UPLOADED,
        GatewayState.PREPROCESSING,
        GatewayState.COMPILING,
    )
)
#: Stands for any of Slurm's words.
_SLURMS = ""
_WAY = (
    GatewayState.CREATED.value,
    GatewayState.UPLOADED.value,
    GatewayState.PREPROCESSING.value,
    GatewayState.COMPILING.value,
    GatewayState.SUBMITTED.value,
    _SLURMS,
    GatewayState.POSTPROCESSING.value,
    GatewayState.DONE.value,
    GatewayState.ERROR.value,
)
_FINAL = frozenset((GatewayState.DONE.value, GatewayState.ERROR.value))
_GATEWAY = frozenset(state.value for state in GatewayState)

#: What a job has been through when Slurm is first seen to say this word.
_ON_THE_WAY: Dict[str, int] = {PENDING: 1, RUNNING: 2}
_END_RANK = 3


def is_final(state: str) -> bool:
    """Whether Gridferry has nothing left to do for a job in this state."""
    return state in _FINAL


def goes_back(before: str, after: str) -> bool:
    """Whether a job in the state `before` cannot come into the state `after`: what is final stays so.

    Among Slurm's own words any may follow any other: it may start a job again.
    """
    if is_final(before):
        return True
    return _place(after) < _place(before)


def _place(state: str) -> int:
    """Return how far along the way a state is; all of Slurm's words are in the same place."""
    return _WAY.index(state) if state in _WAY else _WAY.index(_SLURMS)


def is_submitted(state: str) -> bool:
    """Whether a job in this state has (or had) a Slurm job."""
    return state not in _BEFORE_SLURM


def mails_owner(state: str) -> bool:
    """Whether reaching this state is told by mail: Slurm's words are, and ERROR; our own steps are not."""
    return state == GatewayState.ERROR.value or state not in _GATEWAY


def outcome_of(state: str) -> Optional[str]:
    """Return the outcome a job has once it reached `state`, None if that does not settle it."""
    return state if state not in _GATEWAY and is_end_state(state) else None


def is_success(outcome: Optional[str]) -> bool:
    """Whether an outcome is the one every user hopes for."""
    return outcome == COMPLETED


def rank(state: str) -> int:
    """How far along Slurm's way a word is: PENDING 1, RUNNING 2, end states 3, anything else 0."""
    if is_end_state(state):
        return _END_RANK
    return _ON_THE_WAY.get(state, 0)
