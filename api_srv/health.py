"""`/health`: whether the registry can do its work."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from api_srv.auth import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def get_health() -> Response:
    """Answer what the registry stands on; 503 when the database is away."""
    bundle = services()
    bundle.documents.ping()
    mail = {"kind": "smtp" if bundle.settings.smtp_host else "folder", "due": bundle.outbox.count_due()}
    return jsonify(status="ok", store=bundle.documents.kind, mail=mail)
