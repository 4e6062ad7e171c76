"""A campaign as one thing: the UUID of its first part stands for all of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.campaign import is_first_part
from project.services.listing import list_jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from project.ports import Registry

Job = dict[str, Any]


def parts_of(registry: Registry, campaign: str) -> list[Job]:
    """Return all parts of a campaign in short, in the order of their creation."""
    return list_jobs(registry, {"campaign": campaign}, None).jobs[::-1]


def campaigns_among(registry: Registry, uuids: Sequence[str]) -> list[str]:
    """Return those UUIDs that are a campaign's; a later part's is not."""
    found = registry.jobs_beginning(uuids) if uuids else []
    theirs = {str(job["job_uuid"]) for job in found if is_first_part(job)}
    return [job_uuid for job_uuid in uuids if job_uuid in theirs]


def whole(registry: Registry, uuids: Sequence[str]) -> list[str]:
    """Return the UUIDs with each campaign's replaced by those of its parts; each once, in their order."""
    campaigns = campaigns_among(registry, uuids)
    parts = {campaign: [str(part["job_uuid"]) for part in parts_of(registry, campaign)] for campaign in campaigns}
    return list(dict.fromkeys(one for job_uuid in uuids for one in parts.get(job_uuid, [job_uuid])))
