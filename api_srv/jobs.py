"""`/jobs`: create, read, update."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request, url_for

from api_srv.auth import services, user_only, user_or_report
from api_srv.errors import Invalid
from api_srv.parsing import json_object, page_size
from api_srv.services import job_query, validate
from api_srv.services.job_query import PREFIX
from project.core.problems import Problem
from project.core.rules import many

if TYPE_CHECKING:
    from api_srv.services.accounts import Caller

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")
_USUAL_PAGE, _LARGEST_PAGE = 50, 500


@blueprint.get("")
@user_only
def list_jobs(caller: Caller) -> Response:
    """Answer the caller's jobs, newest first: in short, or with `details=true` whole, fewer at a time.

    With `uuid`, given once or several times: those whose UUID begins so.
    """
    details = request.args.get("details") == "true"
    limit = page_size("limit", _USUAL_PAGE, _USUAL_PAGE if details else _LARGEST_PAGE)
    query = job_query.parse(request.args, limit)
    if "uuid" in request.args:
        listed = services().jobs.beginning(caller, _prefixes(limit))
    else:
        listed = services().jobs.newest(caller, query)
    whole = (services().jobs.get(caller, job["job_uuid"]) for job in listed)
    return jsonify(list(whole) if details else listed)


def _prefixes(most: int) -> list[str]:
    prefixes = request.args.getlist("uuid")
    validate.check({"uuid": prefixes}, {"uuid": many(PREFIX)})
    if len(prefixes) > most:
        raise Invalid([Problem("uuid", f"these are {len(prefixes)}", f"Ask for {most} at a time.")])
    return prefixes


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
