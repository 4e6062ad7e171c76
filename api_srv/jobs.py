"""`/jobs`: create, read, update."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request, url_for

from api_srv.auth import services, user_only, user_or_report
from api_srv.parsing import json_object, page_size

if TYPE_CHECKING:
    from api_srv.services.accounts import Caller

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")
_USUAL_PAGE, _LARGEST_PAGE = 50, 500


@blueprint.get("")
@user_only
def list_jobs(caller: Caller) -> Response:
    """Answer the caller's jobs, newest first: in short, or with `details=true` whole, fewer at a time."""
    chosen = {key: request.args.get(key, "") for key in ("state", "cluster", "after")}
    details = request.args.get("details") == "true"
    limit = page_size("limit", _USUAL_PAGE, _USUAL_PAGE if details else _LARGEST_PAGE)
    listed = services().jobs.newest(caller, limit=limit, **chosen)
    whole = (services().jobs.get(caller, job["job_uuid"]) for job in listed)
    return jsonify(list(whole) if details else listed)


@blueprint.get("/<job_uuid>")
@user_only
def get_job(caller: Caller, job_uuid: str) -> Response:
    """Answer all values of a job."""
    return jsonify(services().jobs.get(caller, job_uuid))


@blueprint.post("/<job_uuid>")
@user_only
def create_job(caller: Caller, job_uuid: str) -> tuple[Response, int, dict[str, str]]:
    """Create a job: 201, or 200 if the same content was sent before."""
    job, created = services().jobs.create(caller, job_uuid, json_object())
    location = {"Location": url_for("jobs.get_job", job_uuid=job_uuid)}
    return jsonify(job), 201 if created else 200, location


@blueprint.put("/<job_uuid>")
@user_only
def update_job(caller: Caller, job_uuid: str) -> Response:
    """Set some fields of a job."""
    return jsonify(services().jobs.update(caller, job_uuid, json_object()))


@blueprint.get("/<job_uuid>/state")
@user_only
def get_states(caller: Caller, job_uuid: str) -> Response:
    """Answer the state of each task."""
    return jsonify(services().jobs.states(caller, job_uuid))


@blueprint.put("/<job_uuid>/state")
@user_or_report
def put_state(caller: Caller, job_uuid: str) -> Response:
    """Note a change of state."""
    return jsonify(services().jobs.put_state(caller, job_uuid, json_object()))


@blueprint.put("/<job_uuid>/notify")
@user_or_report
def put_notice(caller: Caller, job_uuid: str) -> Response:
    """Note an error."""
    return jsonify(services().jobs.notify(caller, job_uuid, json_object()))
