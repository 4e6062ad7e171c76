"""How jobs ended, in one word and one exit code each; a campaign as one job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.campaign import is_first_part
from project.core.outcomes import headline
from project.core.states import is_success
from project.services.campaign.end import await_digest, campaign_code
from project.services.campaign.whole import parts_of
from project.services.exit_code import exit_code_of

if TYPE_CHECKING:
    from project.ports import Clock, Registry


@dataclass(frozen=True)
class End:
    """How a job or a campaign ended.

    Attributes:
        job_uuid: ours; of a campaign, its first part's.
        outcome: the one word that matters.
        exit_code: what a shell would say.
        message: of a campaign, how many tasks ended well.
        parts: of a campaign, how each of its parts ended.
    """

    job_uuid: str
    outcome: str
    exit_code: int
    message: str = ""
    parts: tuple[End, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it for programs; message and parts are a campaign's alone."""
        own = {"job_uuid": self.job_uuid, "outcome": self.outcome, "exit_code": self.exit_code}
        if not self.parts:
            return own
        return {**own, "message": self.message, "parts": [part.as_json() for part in self.parts]}


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Says how jobs ended for which nothing is left to do; every attribute is a port."""

    registry: Registry
    clock: Clock

    def of(self, job_uuid: str) -> End:
        """Return the end of a job, or of the campaign whose first part it is."""
        job = self.registry.job(job_uuid)
        return self._of_campaign(job_uuid) if is_first_part(job) else _end(job)

    def _of_campaign(self, campaign: str) -> End:
        """Return a campaign's end; the many values of its parts are asked for only where a task did not end well."""
        parts = parts_of(self.registry, campaign)
        _, digest = await_digest(self.registry, self.clock, campaign, len(parts))
        if not all(is_success(headline(part)) for part in parts):
            parts = [self.registry.job(str(part["job_uuid"])) for part in parts]
        return End(
            job_uuid=campaign,
            outcome=str(digest["state"]),
            exit_code=campaign_code(digest, parts),
            message=str(digest["message"]),
            parts=tuple(map(_end, parts)),
        )


def _end(job: dict[str, Any]) -> End:
    return End(job_uuid=str(job["job_uuid"]), outcome=headline(job), exit_code=exit_code_of(job))
