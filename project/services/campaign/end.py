"""How a campaign ended: what the registry's digest says, and the exit code that stands for all of its tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.errors import JobFailed
from project.core.outcomes import digest_of, last_attempts
from project.core.slurm.states import parse_state
from project.core.states import is_success
from project.services.exit_code import shell_code
from project.services.pauses import waits_s

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from project.ports import Clock, Registry

Job = dict[str, Any]
#: The registry writes the digest right after the last part's end; if it dies in between, once the cluster asks again.
_PATIENCE_S = 30.0
_NOTHING_KNOWN = "nothing is known of its tasks"


def await_digest(registry: Registry, clock: Clock, campaign: str, parts: int) -> tuple[Job, Mapping[str, Any]]:
    """Return a campaign's first part and the digest of its end, once the last of so many parts has ended.

    A digest of fewer parts is that of an earlier end, before the campaign was extended.
    """
    pauses, started_s = waits_s(), clock.now_s()
    while True:
        first = registry.job(campaign)
        digest = digest_of(first)
        if digest is not None and int(digest.get("parts", parts)) >= parts:
            return first, digest
        if clock.now_s() - started_s >= _PATIENCE_S:
            return first, digest or {"state": first["state"], "message": _NOTHING_KNOWN}
        clock.sleep(next(pauses))


def campaign_code(digest: Mapping[str, Any], parts: Sequence[Job]) -> int:
    """Return what a shell would say of a campaign: 0, or the exit code of the first task that ended as the worst did.

    Args:
        digest: of its end.
        parts: with all that the registry has of them, in the order of their creation; none are needed of a good end.
    """
    worst = str(digest["state"])
    if is_success(worst):
        return 0
    codes = [str(row["ExitCode"]) for row in last_attempts(parts) if parse_state(str(row["State"])).word == worst]
    return next((code for code in map(shell_code, codes) if code), JobFailed.exit_code)
