"""Rules for request bodies, as tables; a body is checked whole and every problem is told at once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from api_srv import clock
from api_srv.errors import Invalid
from project.core.job_file import kinds
from project.core.problems import Problem, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

MOST_TEXT_CHARS = 100_000
LARGEST_INTEGER = 2**53
_MOST_COLUMNS, _MOST_CELL_CHARS = 200, 10_000
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UUID_PATTERN = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_COLUMN_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_/]{0,63}")


class Rule(NamedTuple):
    """What a value must be.

    Attributes:
        accepts: whether a value is that.
        wanted: the same in words, after "write".
    """

    accepts: Callable[[Any], bool]
    wanted: str


def text(most: int = MOST_TEXT_CHARS, least: int = 0) -> Rule:
    """A text of so many characters."""
    wanted = f"a text of {least} to {most} characters" if least else f"a text of at most {most} characters"
    return Rule(lambda value: isinstance(value, str) and least <= len(value) <= most, wanted)


def whole(least: int, most: int = LARGEST_INTEGER) -> Rule:
    """A whole number within these."""
    return Rule(lambda value: _is_whole(value) and least <= value <= most, f"a whole number from {least} to {most}")


def word(*words: str) -> Rule:
    """One of these words."""
    return Rule(lambda value: isinstance(value, str) and value in words, "one of " + ", ".join(words))


def many(rule: Rule) -> Rule:
    """A list of what `rule` accepts."""
    return Rule(
        lambda value: isinstance(value, list) and all(rule.accepts(item) for item in value),
        f"a list, each of it {rule.wanted}",
    )


def optional(rule: Rule) -> Rule:
    """What `rule` accepts, or null."""
    return Rule(lambda value: value is None or rule.accepts(value), f"{rule.wanted}, or null")


def sized_object(most: int) -> Rule:
    """An object that fits the databases: at most so many characters of JSON."""
    return Rule(
        lambda value: isinstance(value, dict) and len(json.dumps(value)) <= most,
        f"an object of at most {most} characters",
    )


def _is_whole(value: object) -> bool:
    """Whether `value` is a number that every database can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_INTEGER


def _is_row(value: object) -> bool:
    """Whether `value` is a row of sacct: few columns, short values."""
    if not isinstance(value, dict) or len(value) > _MOST_COLUMNS:
        return False
    return all(_COLUMN_PATTERN.fullmatch(column) and _is_cell(content) for column, content in value.items())


def _is_cell(value: object) -> bool:
    return (
        value is None or isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _MOST_CELL_CHARS)
    )


def _is_mail(value: object) -> bool:
    try:
        return bool(kinds.MAIL.read(value) == value)
    except ValueError:
        return False


FLAG = Rule(lambda value: isinstance(value, bool), "true or false")
TIME = Rule(clock.is_time, "a UTC time such as 2026-11-20T10:00:00.000000Z")
OBJECT = Rule(lambda value: isinstance(value, dict), "an object")
ANYTHING = Rule(lambda _: True, "anything")
SCALAR = Rule(
    lambda value: value is None or isinstance(value, bool) or _is_whole(value) or text().accepts(value),
    "a text, a whole number, true, false or null",
)
NAME = Rule(
    lambda value: isinstance(value, str) and NAME_PATTERN.fullmatch(value) is not None,
    "a name of letters, digits, '.', '_' and '-', 64 characters at most",
)
UUID = Rule(
    lambda value: isinstance(value, str) and _UUID_PATTERN.fullmatch(value) is not None,
    "a UUID in lower case, as uuid4 makes them",
)
MAIL = Rule(_is_mail, kinds.MAIL.remedy.removeprefix("Write "))
ROW = Rule(_is_row, "an object of sacct columns, each a text or a number")


def problems(
    body: Mapping[str, Any],
    shape: Mapping[str, Rule],
    required: Collection[str] = (),
    *,
    where: str = "",
    more_keys: bool = False,
) -> Iterator[Problem]:
    """Yield what is wrong with `body`: keys that `shape` lacks (unless `more_keys`), wrong values, missing keys."""
    for key, value in body.items():
        if key not in shape:
            if not more_keys:
                yield _unknown(where + key, [where + known for known in shape])
        elif not shape[key].accepts(value):
            yield Problem(where + key, f"this cannot be {_shown(value)}", f"Write {shape[key].wanted}.")
    for key in required:
        if key not in body:
            yield Problem(where + key, "this key is missing", f"Write {shape[key].wanted}.")


def refuse(found: Sequence[Problem]) -> None:
    """Raise Invalid with every problem, if there is one."""
    if found:
        raise Invalid(found)


def _unknown(key: str, known: Collection[str]) -> Problem:
    close = nearest(key, known)
    remedy = f"Did you mean {close}?" if close else f"Known keys: {', '.join(sorted(known))}."
    return Problem(key, "this key is not known", remedy)


def _shown(value: object) -> str:
    written = repr(value)
    return written if len(written) <= 40 else written[:40] + "…"  # noqa: PLR2004 - fits a line
