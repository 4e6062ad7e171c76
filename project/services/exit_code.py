"""What a shell would say of a job: its own exit code, passed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.errors import JobFailed
from project.core.states import is_success
from project.core.units import whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNAL_BASE = 128
_MOST_CODE = 255


def exit_code_of(job: Mapping[str, Any]) -> int:
    """Return what a shell would say of a job that has ended, from all its values.

    0 if it ended well; its own exit code (of an array: of the task that ended worst), or 128 and the signal that
    ended it; 13 where there is none of these: cancelled before it ran, out of time, or an error before Slurm had it.
    """
    outcome = job.get("outcome")
    if is_success(outcome):
        return 0
    told = [event["body"] for event in job.get("timeline", ()) if event["kind"] == "state"]
    codes = [str(body.get("exit_code") or "") for body in told if body["state"] == outcome]
    return shell_code(codes[-1] if codes else "") or JobFailed.exit_code


def shell_code(exit_code: str) -> int:
    """Return what a shell makes of Slurm's `code:signal`; 0 for none."""
    code, _, signal = exit_code.partition(":")
    ended_by = whole_number(signal)
    return min(_MOST_CODE, whole_number(code) or (_SIGNAL_BASE + ended_by if ended_by else 0))
