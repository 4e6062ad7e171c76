"""As much of JSON Schema as ours is made of, so that the tests need no library for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """Whether `value` is valid. Raises KeyError for a keyword that is not known here."""
    return all(_CHECKS[word](schema, value) for word in schema)


def _is_type(schema: dict[str, Any], value: Any) -> bool:
    return isinstance(value, _TYPES[schema["type"]]) and (schema["type"] == "boolean") == isinstance(value, bool)


def _has_properties(schema: dict[str, Any], value: Any) -> bool:
    known = schema["properties"]
    return all(accepts(known[key], inner) for key, inner in value.items() if key in known)


def _has_no_others(schema: dict[str, Any], value: Any) -> bool:
    return schema["additionalProperties"] or set(value) <= set(schema["properties"])


def _always(_schema: dict[str, Any], _value: Any) -> bool:
    return True


_CHECKS: dict[str, Callable[[dict[str, Any], Any], bool]] = {
    "type": _is_type,
    "enum": lambda schema, value: value in schema["enum"],
    "anyOf": lambda schema, value: any(accepts(one, value) for one in schema["anyOf"]),
    "items": lambda schema, value: not isinstance(value, list) or all(accepts(schema["items"], v) for v in value),
    "minimum": lambda schema, value: not isinstance(value, int) or value >= schema["minimum"],
    "properties": lambda schema, value: not isinstance(value, dict) or _has_properties(schema, value),
    "required": lambda schema, value: not isinstance(value, dict) or set(schema["required"]) <= set(value),
    "additionalProperties": lambda schema, value: not isinstance(value, dict) or _has_no_others(schema, value),
    **dict.fromkeys(("$schema", "title", "description", "format"), _always),
}
