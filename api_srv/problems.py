"""Errors as HTTP answers: a status and a JSON problem (RFC 9457), for people in the browser a page."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

from flask import Response, render_template, request
from werkzeug.exceptions import HTTPException

from api_srv import errors
from project.core.errors import GridferryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

_log = logging.getLogger("gridferry.http")

#: kind of error: status, title
STATUSES: dict[type[GridferryError], tuple[int, str]] = {
    errors.Malformed: (400, "The request cannot be read"),
    errors.Unauthorised: (401, "Log in first"),
    errors.Forbidden: (403, "Not allowed"),
    errors.NotFound: (404, "Not found"),
    errors.Conflict: (409, "This contradicts what is stored"),
    errors.StaleEpoch: (409, "A newer follower reports"),
    errors.Invalid: (422, "The request breaks rules"),
    errors.TooManyAttempts: (429, "Too many attempts"),
    errors.StoreUnavailable: (503, "The database is away"),
}
_RETRY_AFTER_S = 5


def register(app: Flask) -> None:
    """Make every error of the application an answer of this form."""
    app.register_error_handler(GridferryError, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def slug_of(kind: type[GridferryError]) -> str:
    """Return the `type` of a problem."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


def _known(error: GridferryError) -> Response:
    status, title = STATUSES.get(type(error), (500, "The registry failed"))
    slug = slug_of(type(error))
    more: dict[str, Any] = {"remedy": error.remedy} if error.remedy else {}
    headers: dict[str, str] = {}
    match error:
        case errors.Invalid():
            more["problems"] = error.as_json()
        case errors.StaleEpoch():
            more["epoch"] = error.epoch
        case errors.TooManyAttempts():
            headers["Retry-After"] = str(error.retry_after_s)
        case errors.StoreUnavailable():
            headers["Retry-After"] = str(_RETRY_AFTER_S)
            _log.error("%s", error)
        case errors.Unauthorised():
            headers["WWW-Authenticate"] = 'Bearer realm="gridferry"'
    return _answer(status, slug, title, error.message, more, headers)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    slug = error.name.lower().replace(" ", "-")
    kept = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    return _answer(status, slug, error.name, error.description or error.name, {}, kept)


def _unexpected(error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    detail = "This is a mistake in the registry; its log says more."
    return _answer(500, "internal", "The registry failed", detail, {}, {})


def _answer(
    status: int, slug: str, title: str, detail: str, more: Mapping[str, Any], headers: Mapping[str, str]
) -> Response:
    problem = {"type": slug, "title": title, "status": status, "detail": detail, **more}
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return Response(render_template("problem.html", problem=problem), status, headers)
    return Response(json.dumps(problem), status, headers, mimetype="application/problem+json")
