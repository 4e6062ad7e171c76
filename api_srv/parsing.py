"""Request bodies: JSON objects of limited size, in Unicode that can be stored."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from api_srv.errors import Invalid, Malformed
from project.core.problems import Problem

_MIB = 1024 * 1024
_USUAL_LIMIT_MIB = 2
_DEEPEST = 100


def json_object(limit_mib: int = _USUAL_LIMIT_MIB) -> dict[str, Any]:
    """Return the body of the request.

    Raises:
        UnsupportedMediaType: it does not say it is JSON.
        RequestEntityTooLarge: it is longer than the limit.
        Malformed: it is no JSON object.
    """
    request.max_content_length = limit_mib * _MIB
    if not request.is_json:
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    try:
        body = json.loads(request.get_data(), parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the body is no JSON: {error}", "Send one JSON object in UTF-8.") from error
    if not isinstance(body, dict):
        raise Malformed("the body is JSON, but no object", "Send one JSON object.")
    storable: dict[str, Any] = _storable(body)
    return storable


def page_size(name: str, default: int, most: int) -> int:
    """Return a whole number from the query, from 1 to `most`.

    Raises:
        Invalid: it is none.
    """
    given = request.args.get(name, str(default))
    if not (given.isascii() and given.isdecimal() and 1 <= int(given[:9]) <= most):
        raise Invalid([Problem(name, f"this cannot be {given[:40]!r}", f"Write a number from 1 to {most}.")])
    return int(given)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is too large a number")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _storable(value: Any, depth: int = 0) -> Any:
    """Replace what UTF-8 cannot hold: half a surrogate pair, as undecodable bytes of a log may become."""
    if depth > _DEEPEST:
        raise Malformed(f"the body is nested more than {_DEEPEST} levels deep", "Send something flatter.")
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item, depth + 1) for key, item in value.items()}
    return value
