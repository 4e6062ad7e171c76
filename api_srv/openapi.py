"""`/openapi.json`: the REST API described (OpenAPI 3.1), from the tables that check requests and answers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Blueprint, Flask, Response, current_app, jsonify

from api_srv import accounts
from api_srv.services import clusters, job_query, jobs, reports
from project.core import answers, rules
from project.core.messages import SCHEMA
from project.core.rules import FLAG, MAIL, NAME, OBJECT, UUID, many, schema_of, text, whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from werkzeug.routing import Rule as Route

blueprint = Blueprint("openapi", __name__)
_JSON, _PROBLEM = "application/json", "application/problem+json"
_BAD_REQUEST = 400
_BODY_REFUSALS = (400, 413, 415, 422)
_PATH_PARAMETERS = {"job_uuid": UUID, "name": NAME}


class Body(NamedTuple):
    """What a request's body must be, and an example."""

    shape: rules.Shape
    required: Collection[str] = ()
    example: Mapping[str, Any] | None = None
    more_keys: bool = False


class Operation(NamedTuple):
    """What a view takes and answers; who may call it stands in its decorator, what it does in its docstring.

    Attributes:
        answers: shape by status when all is well; None for no content.
        refusals: statuses with a problem, besides those that follow from the rest.
        body: of the request, if it has one.
        query: its query parameters.
    """

    answers: Mapping[int, rules.Rule | None]
    refusals: Collection[int] = ()
    body: Body | None = None
    query: rules.Shape = MappingProxyType({})


def _answer(shape: rules.Shape) -> rules.Rule:
    return rules.keyed(shape, "", tuple(shape))


def _or_empty(rule: rules.Rule) -> rules.Rule:
    return rule._replace(schema={"anyOf": [rule.schema, {"const": ""}]})


_JOB, _SUMMARY = _answer(answers.JOB), _answer(answers.SUMMARY)
_CLUSTER = _answer(answers.WHOLE_CLUSTER)
_QUERY = {
    "limit": whole(1, 500),
    "uuid": job_query.PREFIX,
    **{name: _or_empty(rule) for name, rule in job_query.SHAPE.items()},
}
_ACCOUNT = {"name": NAME, "mail": MAIL, "admin": FLAG}
_AT = "2026-11-20T10:00:00.000000Z"
_STATUS = {"taken_at": _AT, "pending_jobs": 3, "running_jobs": 5, "nodes": []}
_STATE = {"state": "RUNNING", "reason": "", "detail": ""}
_ENTRY = {"schema": SCHEMA, "job_uuid": "3f2b1c0e-0000-4000-8000-000000000000", "seq": 1, "at": _AT, "kind": "state"}

OPERATIONS: dict[str, Operation] = {
    "accounts.post_token": Operation({201: _answer(answers.TOKEN)}, (401, 429)),
    "accounts.delete_token": Operation({200: _answer({"name": NAME})}),
    "accounts.get_account": Operation({200: _answer(_ACCOUNT)}),
    "accounts.post_report_token": Operation(
        {201: _answer(answers.CREDENTIALS)},
        (404,),
        Body(accounts.REPORT_TOKEN_SHAPE, accounts.REPORT_TOKEN_REQUIRED, {"cluster": "demo"}),
    ),
    "clusters.list_clusters": Operation({200: many(_CLUSTER)}),
    "clusters.put_status": Operation(
        {200: _CLUSTER},
        (404,),
        Body(clusters.TOLD_SHAPE, clusters.TOLD_REQUIRED, {"name": "demo", "status": _STATUS}),
    ),
    "clusters.get_cluster": Operation({200: _CLUSTER}, (404,)),
    "clusters.put_cluster": Operation(
        {200: _CLUSTER, 201: _CLUSTER}, (), Body(clusters.EDIT_SHAPE, (), {"hostname": "login.demo.example.org"})
    ),
    "clusters.delete_cluster": Operation({204: None}, (404,)),
    "health.get_health": Operation({200: _answer({"status": text(), "store": text(), "mail": OBJECT})}),
    "jobs.list_jobs": Operation({200: many(_SUMMARY)}, (400, 422), query=_QUERY),
    "jobs.get_job": Operation({200: _JOB}, (404,)),
    "jobs.create_job": Operation(
        {200: _JOB, 201: _JOB},
        (409,),
        Body(jobs.CREATE_SHAPE, ("user_input",), {"user_input": {"job_name": "try"}, "destination_cluster": "demo"}),
    ),
    "jobs.update_job": Operation({200: _JOB}, (404, 409), Body(jobs.UPDATE_SHAPE, (), {"job_directory": "/home/j"})),
    "jobs.get_states": Operation({200: many(text())}, (404,)),
    "jobs.put_state": Operation({200: _JOB}, (404, 409), Body(jobs.STATE_SHAPE, ("state",), _STATE)),
    "jobs.put_notice": Operation({200: _JOB}, (404,), Body(jobs.NOTIFY_SHAPE, ("message",), {"message": "no disk"})),
    "openapi.get_description": Operation({200: OBJECT}),
    "reports.post_reports": Operation(
        {200: _answer(answers.TAKEN)},
        (409,),
        Body(
            reports.BATCH_SHAPE,
            reports.BATCH_REQUIRED,
            {"schema": SCHEMA, "cluster": "demo", "epoch": 1, "reports": [{**_ENTRY, "body": _STATE}]},
            more_keys=True,
        ),
    ),
}
#: Which operation makes what the others' paths name: the name of the path's parameter is that of the answer's key.
_MAKERS = {"job_uuid": "jobs.create_job", "name": "clusters.put_cluster"}


@blueprint.get("/openapi.json")
def get_description() -> Response:
    """Answer this description."""
    return jsonify(description(current_app))


def description(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document of the application's REST API."""
    paths: dict[str, dict[str, Any]] = {}
    for route, method in endpoints(app):
        path = route.rule.replace("<", "{").replace(">", "}")
        paths.setdefault(path, {})[method.lower()] = _operation(app, route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gridferry registry", "version": str(SCHEMA), "description": "See docs/protocol.md."},
        "paths": paths,
        "components": {
            "schemas": {"Problem": schema_of(answers.PROBLEM, tuple(answers.PROBLEM), more_keys=True)},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
            },
        },
    }


def endpoints(app: Flask) -> Iterator[tuple[Route, str]]:
    """Yield every route of the REST API with each of its methods; pages for people are none of it."""
    for route in app.url_map.iter_rules():
        if not route.endpoint.startswith(("pages.", "static")):
            for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
                yield route, method


def _operation(app: Flask, route: Route) -> dict[str, Any]:
    operation, view = OPERATIONS[route.endpoint], app.view_functions[route.endpoint]
    scopes = getattr(view, "scopes", ())
    refusals = {
        *operation.refusals,
        *((401, 403) if scopes else ()),
        *(_BODY_REFUSALS if operation.body else ()),
        503,
    }
    said = {
        "operationId": route.endpoint.rpartition(".")[2],
        "summary": (view.__doc__ or "").strip().partition("\n")[0],
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name].schema}
                for name in sorted(route.arguments)
            ),
            *({"name": name, "in": "query", "schema": rule.schema} for name, rule in operation.query.items()),
        ],
        "security": _security(route.endpoint, scopes),
        "responses": {
            **{str(status): _good(rule, _links(app, route)) for status, rule in operation.answers.items()},
            **{str(status): _refusal(status) for status in sorted(refusals)},
        },
    }
    if operation.body:
        shape, required, example, more_keys = operation.body
        content = {"schema": schema_of(shape, required, more_keys=more_keys), "example": example}
        said["requestBody"] = {"required": True, "content": {_JSON: content}}
    return said


def _security(endpoint: str, scopes: Collection[str]) -> list[dict[str, list[str]]]:
    if scopes:
        return [{"token": []}]
    return [{"password": []}] if endpoint == "accounts.post_token" else []


def _links(app: Flask, route: Route) -> dict[str, Any]:
    """Return what can be asked next about what this operation makes."""
    made = next((name for name, maker in _MAKERS.items() if maker == route.endpoint), "")
    about = [other.endpoint for other, _ in endpoints(app) if made in other.arguments] if made else []
    return {
        name: {"operationId": name, "parameters": {made: f"$response.body#/{made}"}}
        for name in (endpoint.rpartition(".")[2] for endpoint in about)
    }


def _good(rule: rules.Rule | None, links: Mapping[str, Any]) -> dict[str, Any]:
    if rule is None:
        return {"description": "Done."}
    linked = {"links": links} if links else {}
    return {"description": "As asked.", "content": {_JSON: {"schema": rule.schema}}, **linked}


_REASONS = {
    400: "The body is no JSON, or the address is longer than 8190 bytes.",
    401: "No token, or one that is unknown or has expired.",
    403: "The caller may not do this.",
    404: "There is no such thing, or it is somebody else's.",
    409: "It contradicts what is stored.",
    413: "The body is too long.",
    415: "The body does not say that it is JSON.",
    422: "The request breaks rules; all of them are told.",
    429: "Too many failed logins.",
    503: "The database is away.",
}


def _refusal(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    of_the_server: dict[str, Any] = (
        {"text/html": {}} if status == _BAD_REQUEST else {}
    )  # what is so wrong does not get further
    return {"description": _REASONS[status], "content": {_PROBLEM: {"schema": schema}, **of_the_server}}
