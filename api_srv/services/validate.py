"""Refuses what breaks the rules of `project.core.rules`, with every problem at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_srv.errors import Invalid
from project.core import rules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from project.core.problems import Problem


def refuse(found: Iterable[Problem]) -> None:
    """Raise Invalid with every problem, if there is one."""
    listed = list(found)
    if listed:
        raise Invalid(listed)


def check(
    body: Mapping[str, Any],
    shape: rules.Shape,
    required: Collection[str] = (),
    *,
    where: str = "",
    more_keys: bool = False,
) -> None:
    """Raise Invalid with every problem of `body` (see `rules.problems`)."""
    refuse(rules.problems(body, shape, required, where=where, more_keys=more_keys))
