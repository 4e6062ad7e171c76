"""Which changes of a job are told by mail: docs/protocol.md's table, narrowed by the job file's `notify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.slurm.states import Phase, parse_state
from project.core.states import GatewayState, mails_owner

if TYPE_CHECKING:
    from collections.abc import Mapping

ERRORS = "errors"
_WORD_OF_PHASE = {Phase.WAITING: "queued", Phase.RUNNING: "started", Phase.ENDED: "ended"}


def mails_state(user_input: Mapping[str, Any], state: str) -> bool:
    """Whether the owner is told by mail that the job reached `state`."""
    if not mails_owner(state):
        return False
    return _wants(user_input, ERRORS if state == GatewayState.ERROR else _WORD_OF_PHASE.get(parse_state(state).phase))


def mails_notice(user_input: Mapping[str, Any], severity: str) -> bool:
    """Whether the owner is told by mail of a notice."""
    return severity == "error" and _wants(user_input, ERRORS)


def mails_digest(user_input: Mapping[str, Any], *, well: bool) -> bool:
    """Whether the owner is told by mail of a campaign's end."""
    return _wants(user_input, "ended") or (not well and _wants(user_input, ERRORS))


def _wants(user_input: Mapping[str, Any], word: str | None) -> bool:
    """Without `notify` everything is told; a state nobody knows is told to all who want any mail."""
    chosen = user_input.get("notify")
    words = chosen if isinstance(chosen, list) else [chosen]
    if chosen is None:
        return True
    return word in words if word else words != ["none"]
