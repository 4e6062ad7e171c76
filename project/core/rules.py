"""Rules for documents of strangers, as tables: a document is checked whole and its problems are told at once.

The same table checks what the registry is sent, writes its OpenAPI description, and checks what a registry answers.
"""

import json
import re
from itertools import islice
from typing import Any, Callable, Collection, Dict, Iterator, Mapping, NamedTuple, Sequence

from project.core.job_file import kinds
from project.core.messages import is_utc
from project.core.problems import Problem, nearest

MOST_TEXT_CHARS = 100_000
LARGEST_INTEGER = 2**53
#: Of a document that is all wrong, so many problems are told.
MOST_PROBLEMS = 100
_MOST_COLUMNS, _MOST_CELL_CHARS = 200, 10_000
_SHOWN_CHARS = 40
_KEY_CHARS = 200
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_COLUMN = r"[A-Za-z][A-Za-z0-9_/]{0,63}"
_DATE = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}"
_COLUMN_PATTERN = re.compile(_COLUMN)

Schema = Dict[str, Any]


class Rule(NamedTuple):
    """What a value must be.

    Attributes:
        accepts: whether a value is that.
        wanted: the same in words, after "write".
        schema: the same as JSON Schema (2020-12), as far as that can say it.
    """

    accepts: Callable[[Any], bool]
    wanted: str
    schema: Schema


Shape = Mapping[str, Rule]


def text(most: int = MOST_TEXT_CHARS, least: int = 0) -> Rule:
    """A text of so many characters."""
    wanted = f"a text of {least} to {most} characters" if least else f"a text of at most {most} characters"
    schema = {"type": "string", "maxLength": most, **({"minLength": least} if least else {})}
    return Rule(lambda value: isinstance(value, str) and least <= len(value) <= most, wanted, schema)


def written(pattern: str, wanted: str, most: int = MOST_TEXT_CHARS) -> Rule:
    """A text that is as a whole what a regular expression describes."""
    compiled = re.compile(pattern)
    return Rule(
        lambda value: isinstance(value, str) and len(value) <= most and compiled.fullmatch(value) is not None,
        wanted,
        {"type": "string", "maxLength": most, "pattern": f"^(?:{pattern})$"},
    )


def whole(least: int, most: int = LARGEST_INTEGER) -> Rule:
    """A whole number within these."""
    return Rule(
        lambda value: _is_whole(value) and least <= value <= most,
        f"a whole number from {least} to {most}",
        {"type": "integer", "minimum": least, "maximum": most},
    )


def word(*words: str) -> Rule:
    """One of these words."""
    return Rule(
        lambda value: isinstance(value, str) and value in words,
        "one of " + ", ".join(words),
        {"enum": list(words)},
    )


def many(rule: Rule) -> Rule:
    """A list of what `rule` accepts."""
    return Rule(
        lambda value: isinstance(value, list) and all(rule.accepts(item) for item in value),
        f"a list, each of it {rule.wanted}",
        {"type": "array", "items": rule.schema},
    )


def optional(rule: Rule) -> Rule:
    """What `rule` accepts, or null."""
    return Rule(
        lambda value: value is None or rule.accepts(value),
        f"{rule.wanted}, or null",
        {"anyOf": [rule.schema, {"type": "null"}]},
    )


def sized_object(most: int) -> Rule:
    """An object that fits the databases: at most so many characters of JSON."""
    return Rule(
        lambda value: isinstance(value, dict) and len(json.dumps(value)) <= most,
        f"an object of at most {most} characters",
        {"type": "object"},
    )


def keyed(shape: Shape, wanted: str, required: Collection[str] = ()) -> Rule:
    """An object with these keys as the shape says, and perhaps others."""
    return Rule(
        lambda value: isinstance(value, dict) and not any(problems(value, shape, required, more_keys=True)),
        wanted,
        schema_of(shape, required, more_keys=True),
    )


def mapping(rule: Rule) -> Rule:
    """An object with any keys, each with what `rule` accepts."""
    return Rule(
        lambda value: isinstance(value, dict) and all(rule.accepts(item) for item in value.values()),
        f"an object, each value of it {rule.wanted}",
        {"type": "object", "additionalProperties": rule.schema},
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
    return value is None or _is_number(value) or (isinstance(value, str) and len(value) <= _MOST_CELL_CHARS)


def _is_number(value: object) -> bool:
    """Whether `value` is a number (or a truth value, which counts as one) that JSON and every database can hold."""
    return isinstance(value, (int, float)) and abs(value) <= LARGEST_INTEGER


def _are_columns(value: Any) -> bool:
    """Whether `value` is a table of sacct, column by column."""
    lists = isinstance(value, dict) and all(isinstance(column, list) for column in value.values())
    if not lists or len({len(column) for column in value.values()}) > 1:
        return False
    named = _is_row(dict.fromkeys(value))
    return named and all(_is_row(dict(zip(value, cells))) for cells in zip(*value.values()))


def _is_mail(value: object) -> bool:
    try:
        return bool(kinds.MAIL.read(value) == value)
    except ValueError:
        return False


NUMBER = Rule(
    lambda value: _is_number(value) and not isinstance(value, bool),
    "a number",
    {"type": "number", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER},
)
FLAG = Rule(lambda value: isinstance(value, bool), "true or false", {"type": "boolean"})
TIME = Rule(
    is_utc,
    "a UTC time such as 2026-11-20T10:00:00.000000Z",
    {"type": "string", "pattern": rf"^{_DATE}T{_CLOCK}Z$"},
)
OBJECT = Rule(lambda value: isinstance(value, dict), "an object", {"type": "object"})
ANYTHING = Rule(lambda _: True, "anything", {})
SCALAR = Rule(
    lambda value: value is None or isinstance(value, bool) or _is_whole(value) or text().accepts(value),
    "a text, a whole number, true, false or null",
    {"anyOf": [text().schema, whole(-LARGEST_INTEGER).schema, {"type": ["boolean", "null"]}]},
)
NAME = written(_NAME, "a name of letters, digits, '.', '_' and '-', 64 characters at most", 64)
UUID = written(kinds.UUID_PATTERN, "a UUID in lower case, as uuid4 makes them", 36)
MAIL = Rule(_is_mail, kinds.MAIL.remedy[len("Write ") :], {"type": "string", "format": "email"})
ROW = Rule(
    _is_row,
    "an object of sacct columns, each a text or a number",
    {
        "type": "object",
        "maxProperties": _MOST_COLUMNS,
        "propertyNames": {"pattern": f"^{_COLUMN}$"},
        "additionalProperties": {
            "anyOf": [
                text(_MOST_CELL_CHARS).schema,
                NUMBER.schema,
                {"type": ["boolean", "null"]},
            ]
        },
    },
)
COLUMNS = Rule(
    _are_columns,
    "an object of sacct columns, lists of equal length",
    {
        "type": "object",
        "propertyNames": ROW.schema["propertyNames"],
        "additionalProperties": {"type": "array", "items": ROW.schema["additionalProperties"]},
    },
)
COUNTS = mapping(whole(0))


def problems(
    body: Mapping[str, Any],
    shape: Shape,
    required: Collection[str] = (),
    *,
    where: str = "",
    more_keys: bool = False,
) -> Iterator[Problem]:
    """Yield what is wrong with `body`: keys that `shape` lacks (unless `more_keys`), wrong values, missing keys."""
    return islice(_all_problems(body, shape, required, where, more_keys=more_keys), MOST_PROBLEMS)


def _all_problems(
    body: Mapping[str, Any], shape: Shape, required: Collection[str], where: str, *, more_keys: bool
) -> Iterator[Problem]:
    for key in required:
        if key not in body:
            yield Problem(where + key, "this key is missing", f"Write {shape[key].wanted}.")
    for key, value in body.items():
        if key not in shape:
            if not more_keys:
                yield _unknown(where + key[:_KEY_CHARS], [where + known for known in shape])
        elif not shape[key].accepts(value):
            yield Problem(where + key, f"this cannot be {shown(value)}", f"Write {shape[key].wanted}.")


def schema_of(shape: Shape, required: Collection[str] = (), *, more_keys: bool = False) -> Schema:
    """Return the JSON Schema of what `problems` finds nothing wrong with."""
    return {
        "type": "object",
        "properties": {key: rule.schema for key, rule in shape.items()},
        **({"required": list(required)} if required else {}),
        **({} if more_keys else {"additionalProperties": False}),
    }


def _unknown(key: str, known: Sequence[str]) -> Problem:
    close = nearest(key, known)
    remedy = f"Did you mean {close}?" if close else f"Known keys: {', '.join(sorted(known))}."
    return Problem(key, "this key is not known", remedy)


def shown(value: object) -> str:
    """Return a value as a message names it."""
    text_of_it = repr(value)
    return text_of_it if len(text_of_it) <= _SHOWN_CHARS else text_of_it[:_SHOWN_CHARS] + "…"
