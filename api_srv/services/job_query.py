"""What a list of jobs may be narrowed by: one table of query parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from api_srv.dao.ports import Condition
from api_srv.services import validate
from project.core.rules import TIME, UUID, Rule, text, word, written
from project.core.slurm.states import is_end_state, parse_state
from project.core.states import GatewayState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ANY = text(100)
_LAST_CHARACTER = "\U0010ffff"


class JobQuery(NamedTuple):
    """Which jobs are listed.

    Attributes:
        conditions: what they must match.
        after: UUID of the last job of the page before, or "".
        limit: how many at most.
    """

    conditions: Sequence[Condition] = ()
    after: str = ""
    limit: int = 50


class _Parameter(NamedTuple):
    rule: Rule
    conditions: Callable[[str], list[Condition]]


def _equal(path: str) -> Callable[[str], list[Condition]]:
    return lambda value: [Condition(path, "=", value)]


def _in_state(given: str) -> list[Condition]:
    """One of our own states is where a job stands; an end state of Slurm's is how it came out, whatever followed."""
    upper = given.upper()
    state = upper if upper in GatewayState.__members__ else parse_state(given).word
    return [Condition("outcome" if is_end_state(state) else "state", "=", state)]


def _labelled(given: str) -> list[Condition]:
    """A label, or with a `*` at its end all that begin so."""
    if not given.endswith("*"):
        return [Condition("label", "=", given)]
    return [Condition("label", ">=", given[:-1]), Condition("label", "<", given[:-1] + _LAST_CHARACTER)]


_PARAMETERS = {
    "state": _Parameter(_ANY, _in_state),
    "ended": _Parameter(word("true", "false"), lambda given: [Condition("ended", "=", given == "true")]),
    "cluster": _Parameter(_ANY, _equal("cluster")),
    "label": _Parameter(text(200), _labelled),
    "since": _Parameter(TIME, lambda given: [Condition("sort", ">=", given)]),
    "before": _Parameter(TIME, lambda given: [Condition("sort", "<", given)]),
    "campaign": _Parameter(UUID, _equal("campaign")),
    "fetched": _Parameter(word("true"), lambda _: [Condition("fetched_at", ">", "")]),
    "resubmission_of": _Parameter(UUID, _equal("resubmission_of")),
}
#: The beginning of a UUID.
PREFIX = written(r"[0-9a-f-]{4,36}", "at least 4 characters of a UUID")
#: Every parameter that may be left empty.
SHAPE: dict[str, Rule] = {
    **{name: parameter.rule for name, parameter in _PARAMETERS.items()},
    "after": UUID,
    "details": word("true", "false"),
}


def parse(given: Mapping[str, str], limit: int) -> JobQuery:
    """Return what the query parameters ask for; empty ones ask for nothing.

    Raises:
        Invalid: with every problem.
    """
    asked = {name: value for name, value in given.items() if name in SHAPE and value}
    validate.check(asked, SHAPE)
    narrowing = ((_PARAMETERS[name], value) for name, value in asked.items() if name in _PARAMETERS)
    conditions = [condition for parameter, value in narrowing for condition in parameter.conditions(value)]
    return JobQuery(conditions, asked.get("after", ""), limit)
