"""`/tokens` and `/report-tokens`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from api_srv.auth import bearer_token, password_caller, services, user_only
from api_srv.parsing import json_object
from api_srv.services import validate
from project.core import rules

if TYPE_CHECKING:
    from api_srv.services.accounts import Caller

blueprint = Blueprint("accounts", __name__)
REPORT_TOKEN_SHAPE = {"cluster": rules.NAME, "schema": rules.whole(1)}
REPORT_TOKEN_REQUIRED = ("cluster",)


@blueprint.post("/tokens")
def post_token() -> tuple[Response, int]:
    """Make a user token for whoever knows the password."""
    token, expires_at = services().accounts.issue_token(password_caller().name)
    return jsonify(token=token, expires_at=expires_at), 201


@blueprint.delete("/tokens")
@user_only
def delete_token(caller: Caller) -> tuple[Response, int]:
    """Make the token that this request bears useless."""
    services().accounts.forget(bearer_token())
    return jsonify(name=caller.name), 200


@blueprint.get("/account")
@user_only
def get_account(caller: Caller) -> Response:
    """Say whose token this is."""
    return jsonify(name=caller.name, mail=caller.mail, admin=caller.admin)


@blueprint.post("/report-tokens")
@user_only
def post_report_token(caller: Caller) -> tuple[Response, int]:
    """Make a token that can only report, for the caller on one cluster; say where it shall report to."""
    body = json_object()
    validate.check(body, REPORT_TOKEN_SHAPE, REPORT_TOKEN_REQUIRED)
    cluster = services().clusters.description(body["cluster"])
    token, expires_at = services().accounts.issue_report_token(caller, cluster["name"])
    url = cluster["registry_url"] or services().settings.base_url or request.host_url
    return jsonify(token=token, expires_at=expires_at, url=url.rstrip("/")), 201
