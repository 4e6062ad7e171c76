"""What there is to say of a campaign as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.adapters.show import words
from project.core.campaign import tally_of
from project.core.outcomes import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Job = dict[str, Any]


def facts(parts: Sequence[Job]) -> list[tuple[str, str]]:
    """Return what there is to say of a campaign as a whole, by name.

    Args:
        parts: with all that the registry has of them, in the order of their creation.
    """
    first, label = parts[0], parts[0].get("job_name")
    digest = digest_of(first)
    said = {
        "campaign": f"{first['job_uuid']}  {label}" if label else str(first["job_uuid"]),
        "tasks": words.tally(tally_of(parts)),
        "ended": f"{digest['state']}: {digest['message']}" if digest else "",
        "cluster": str(first["cluster"]),
        "submitted": f"{words.age(first['created_at'])} ago",
        "folder": str(first.get("job_directory") or ""),
        "repeats": str(first.get("resubmission_of") or ""),
    }
    return [(name, text) for name, text in said.items() if text]
