"""`/clusters`: what there is, how it is doing, and its administration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify

from api_srv.auth import require_admin, services, user_only, user_or_report
from api_srv.parsing import json_object

if TYPE_CHECKING:
    from api_srv.services.accounts import Caller

blueprint = Blueprint("clusters", __name__, url_prefix="/clusters")


@blueprint.get("")
@user_only
def list_clusters(_caller: Caller) -> Response:
    """Answer all clusters."""
    return jsonify(services().clusters.all())


@blueprint.put("")
@user_or_report
def put_status(caller: Caller) -> Response:
    """Replace a cluster's status as a whole."""
    body = json_object()
    name = str(body.get("name"))
    caller.require_cluster(name)
    services().clusters.description(name)
    services().jobs.require_job_on(caller, name)
    return jsonify(services().clusters.report_status(name, body))


@blueprint.get("/<name>")
@user_only
def get_cluster(_caller: Caller, name: str) -> Response:
    """Answer one cluster."""
    return jsonify(services().clusters.get(name))


@blueprint.put("/<name>")
@user_only
def put_cluster(caller: Caller, name: str) -> tuple[Response, int]:
    """Create or edit a cluster."""
    require_admin(caller)
    cluster, created = services().clusters.put(name, json_object())
    return jsonify(cluster), 201 if created else 200


@blueprint.delete("/<name>")
@user_only
def delete_cluster(caller: Caller, name: str) -> tuple[str, int]:
    """Remove a cluster."""
    require_admin(caller)
    services().clusters.remove(name)
    return "", 204
