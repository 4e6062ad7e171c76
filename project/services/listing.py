"""Lists jobs page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from project.ports import Registry

#: The largest page the registry answers.
_PAGE = 500


class Page(NamedTuple):
    """Some jobs.

    Attributes:
        jobs: in short, the newest first.
        more: whether there are older ones.
    """

    jobs: list[dict[str, Any]]
    more: bool


def list_jobs(registry: Registry, wanted: Mapping[str, str], limit: int | None) -> Page:
    """Return the newest jobs that match.

    Args:
        registry: to ask.
        wanted: query parameters of `GET /jobs`; empty ones ask for nothing.
        limit: how many; None for all.
    """
    asked = {name: value for name, value in wanted.items() if value}
    jobs: list[dict[str, Any]] = []
    while True:
        missing = (
            _PAGE if limit is None else min(_PAGE, limit + 1 - len(jobs))
        )  # one more tells whether there are more
        page = registry.jobs(**asked, limit=str(missing))
        jobs += page
        if len(page) < missing:
            return Page(jobs, more=False)
        if limit is not None and len(jobs) > limit:
            return Page(jobs[:limit], more=True)
        asked["after"] = str(page[-1]["job_uuid"])
