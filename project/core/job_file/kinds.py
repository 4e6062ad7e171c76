"""The kinds of values a job file holds: how each is read, called and described in JSON Schema.

A reader gets what YAML made of the text and returns the value used inside, or raises ValueError with what
is wrong; the kind's `remedy` says what would be right.
"""

import re
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

from project.core.job import ArraySpec
from project.core.job_source import parse_git
from project.core.slurm.ids import MAX_TASK_ID, parse_task_list
from project.core.units import parse_duration_s, parse_memory_mib

MAX_TEXT_CHARS = 100_000
SLURM_WORD_PATTERN = r"[A-Za-z0-9_.,:=@+*&|()\[\]/-]+"
#: One address: nothing that a mail header takes for a group, a comment, a quoted text or a second address (RFC 5322).
_MAIL = re.compile(r"[^\s@,;:<>()\[\]\\\"\x00-\x1f\x7f-\x9f]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_SLURM_WORD = re.compile(SLURM_WORD_PATTERN)
UUID_PATTERN = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_UUID = re.compile(UUID_PATTERN)
_PLACEHOLDER_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


class Kind(NamedTuple):
    """A kind of value.

    Attributes:
        name: what the documentation calls it.
        read: YAML value to inner value.
        remedy: one sentence that says what would be right.
        schema: its JSON Schema.
    """

    name: str
    read: Callable[[Any], Any]
    remedy: str
    schema: Dict[str, Any]


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("this is no text")  # noqa: TRY004 - a reader has one way to say no
    text = str(value)
    if not text.strip():
        raise ValueError("this text is empty")
    if "\0" in text or len(text) > MAX_TEXT_CHARS:
        raise ValueError("this text is too long or holds a NUL character")
    return text


def _texts(value: Any) -> List[str]:
    return [_text(item) for item in (value if isinstance(value, list) else [value])]


def _matching(pattern: "re.Pattern[str]", what: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = _text(value).strip()
        if pattern.fullmatch(text) is None:
            raise ValueError(f"{text!r} is not {what}")
        return text

    return read


def _list_of(read_one: Callable[[Any], str]) -> Callable[[Any], List[str]]:
    return lambda value: [read_one(item) for item in _texts(value)]


def _job(value: Any) -> str:
    text = _text(value)
    parse_git(text)
    return text


def _relative_path(value: Any) -> str:
    text = _text(value)
    if text.startswith(("/", "~")) or ".." in text.split("/"):
        raise ValueError(f"{text!r} leaves the job's working directory")
    return text


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"{value!r} is not a whole number")  # noqa: TRY004 - one way to say no
    try:
        number = int(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a whole number") from None
    if number < 1:
        raise ValueError(f"{number} is less than 1")
    return number


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004 - one way to say no
    return value


def _mapping(value: Any) -> Dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("this is not a group of keys")  # noqa: TRY004 - one way to say no
    return value


def _array(value: Any) -> ArraySpec:
    if isinstance(value, dict):
        unknown = set(value) - {"count", "ids", "at_once"}
        if unknown or ("count" in value) == ("ids" in value):
            raise ValueError("an array is given by either `count` or `ids`, and perhaps `at_once`")
        array = _counted(value["count"]) if "count" in value else _listed(str(value["ids"]))
        return array if value.get("at_once") is None else array._replace(at_once=_count(value["at_once"]))
    return _listed(value) if isinstance(value, str) and not value.isdigit() else _counted(value)


def _counted(value: Any) -> ArraySpec:
    count = _count(value)
    if count > MAX_TASK_ID:
        raise ValueError(f"Slurm has no arrays of more than {MAX_TASK_ID} tasks")
    return ArraySpec(list(range(1, count + 1)), f"1-{count}")


def _listed(text: str) -> ArraySpec:
    listed, throttled, at_once = text.partition("%")
    return ArraySpec(parse_task_list(listed), "".join(listed.split()), _count(at_once) if throttled else None)


def choice(name: str, words: Sequence[str], *, many: bool = False) -> Kind:
    """Return the kind of a word out of `words` (or several, as a list)."""

    def read_one(value: Any) -> str:
        if value not in words:
            raise ValueError(f"{value!r} is not known here")
        return str(value)

    one = {"enum": list(words)}
    schema: Dict[str, Any] = {"anyOf": [one, {"type": "array", "items": one}]} if many else one
    remedy = "Write {}: {}".format("one or several of" if many else "one of", ", ".join(words))
    return Kind(name, _list_of(read_one) if many else read_one, remedy, schema)


def _word(value: Any) -> str:
    text = _text(value)
    if _PLACEHOLDER_NAME.fullmatch(text) is None:
        raise ValueError(f"{text!r} cannot be the name of a placeholder")
    return text


def _cell(value: Any) -> str:
    text = ("false", "true")[value] if isinstance(value, bool) else _text(value)
    if "\n" in text:
        raise ValueError(f"{text!r} has more than one line")
    return text


def _matrix(value: Any) -> Dict[str, List[str]]:
    if not isinstance(value, dict) or not value:
        raise ValueError("this is not a group of keys, each with a list of values")
    lists = {_word(key): given if isinstance(given, list) else [given] for key, given in value.items()}
    return {name: [_cell(one) for one in given] for name, given in lists.items()}


_STRING: Dict[str, Any] = {"type": "string"}
_STRINGS: Dict[str, Any] = {"anyOf": [_STRING, {"type": "array", "items": _STRING}]}
_POSITIVE: Dict[str, Any] = {"type": "integer", "minimum": 1}

TEXT = Kind("text", _text, "Write a text", _STRING)
TEXTS = Kind("text or list", _texts, "Write a text or a list of texts", _STRINGS)
JOB = Kind(
    "path or Git URL",
    _job,
    "Write a path, or the address of a Git repository without user name, password and token: Git asks its credential "
    "helpers, ssh its keys",
    _STRING,
)
PATHS = Kind(
    "path or list",
    _list_of(_relative_path),
    "Write names, directories or globs relative to the working directory",
    _STRINGS,
)
COUNT = Kind("whole number", _count, "Write a whole number from 1", _POSITIVE)
FLAG = Kind("true or false", _flag, "Write true or false", {"type": "boolean"})
MAPPING = Kind("group of keys", _mapping, "Write keys with values below it, indented", {"type": "object"})
MAIL = Kind(
    "mail address",
    _matching(_MAIL, "a mail address"),
    "Write one address, such as jane@example.org",
    {"type": "string", "format": "email"},
)
SLURM_WORD = Kind(
    "Slurm word",
    _matching(_SLURM_WORD, "something Slurm could take (no spaces or quotes)"),
    "Write it as sbatch takes it",
    _STRING,
)
CLUSTERS = Kind(
    "name, list of names, or `auto`",
    _list_of(_matching(_SLURM_WORD, "a cluster's name")),
    "Write a cluster's name, several as a list, or auto",
    _STRINGS,
)
UUIDS = Kind(
    "UUID or list", _list_of(_matching(_UUID, "a job's UUID")), "Write the UUIDs Gridferry printed", _STRINGS
)
DURATION = Kind(
    "duration",
    parse_duration_s,
    "Write it with units, such as 1d2h30m, or as days-hours:minutes:seconds",
    _STRING,
)
MEMORY = Kind("memory size", parse_memory_mib, "Write a number with its unit, such as 2625M or 4G", _STRING)
WORDS = Kind("word or list", _list_of(_word), "Write words of letters, digits and _", _STRINGS)
MATRIX = Kind(
    "lists of values by name",
    _matrix,
    "Write for example {alpha: [0.1, 0.2], seed: [1, 2, 3]}",
    {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "array"]}},
)
ARRAY = Kind(
    "number, task ids, or {count or ids, at_once}",
    _array,
    "Write a count (15), task ids ('1-5,9') or {count: 1000, at_once: 50}",
    {
        "anyOf": [
            _POSITIVE,
            _STRING,
            {
                "type": "object",
                "properties": {"count": _POSITIVE, "ids": _STRING, "at_once": _POSITIVE},
                "additionalProperties": False,
            },
        ]
    },
)
