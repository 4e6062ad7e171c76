"""`/reports`: what clusters have to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify

from api_srv.auth import services, user_or_report
from api_srv.parsing import json_object

if TYPE_CHECKING:
    from api_srv.services.accounts import Caller

blueprint = Blueprint("reports", __name__, url_prefix="/reports")


@blueprint.post("")
@user_or_report
def post_reports(caller: Caller) -> Response:
    """Take what is next of each job's journal."""
    batch = json_object(services().settings.request_limit_mib)
    return jsonify(services().reports.accept(caller, batch))
