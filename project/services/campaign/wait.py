"""Waits for the end of a campaign: one count of tasks for all of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.campaign import tally_of
from project.core.errors import JobFailed, RegistryUnavailable
from project.core.outcomes import in_words, number_ended
from project.core.states import is_final, is_success
from project.services.campaign.end import await_digest
from project.services.campaign.whole import parts_of
from project.services.pauses import waits_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from project.ports import Clock, Registry, View


def wait_for_campaign(
    registry: Registry, view: View, clock: Clock, campaign: str, ending: Callable[[], None]
) -> dict[str, Any]:
    """Return the campaign's first part once nothing is left to do for any; arguments as of `Waiter.wait`.

    Raises:
        JobFailed: a task ended, and not well.
    """
    view.begin("campaign")
    pauses, before = waits_s(), None
    while True:
        if parts := _parts(registry, campaign):
            standing = tally_of(parts)
            over = number_ended(standing)
            view.tasks(over, standing.total(), in_words(standing))
            if all(is_final(str(part["state"])) for part in parts):
                view.end(in_words(standing))
                return _judged(*await_digest(registry, clock, campaign, len(parts)))
            turn = (over > 0, over == standing.total())
            if turn != before:  # of many tasks one begins or ends all the time: no reason to ask again at once
                pauses, before = waits_s(), turn
                if over:
                    ending()
        clock.sleep(next(pauses))


def _parts(registry: Registry, campaign: str) -> list[dict[str, Any]]:
    """Return the parts in short; nothing while the registry is away: waiting goes on."""
    try:
        return parts_of(registry, campaign)
    except RegistryUnavailable:
        return []


def _judged(first: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first part if the campaign's digest says that all tasks ended well."""
    if is_success(str(told["state"])):
        return first
    raise JobFailed(
        f"the campaign ended as {told['state']}: {told['message']}",
        remedy=f"What it left can be fetched: python -m project -r {first['job_uuid']}",
        detail="\n".join(told.get("problems", ())),
    )
