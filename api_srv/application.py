"""The WSGI application, put together: services below, blueprints on top, errors and headers around."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from api_srv import accounts, clusters, health, jobs, openapi, pages, problems, reports, sessions
from api_srv.dao.documents import open_documents
from api_srv.services.bundle import build

if TYPE_CHECKING:
    from api_srv.config import Settings
    from api_srv.dao.ports import Documents

_BLUEPRINTS = (accounts, clusters, health, jobs, openapi, pages, reports)


def make_application(settings: Settings, documents: Documents | None = None) -> Flask:
    """Do what api_srv.create_app promises."""
    app = Flask(__name__)
    app.url_map.strict_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined] # documents are read by people, too
    app.extensions["gridferry"] = build(settings, documents or open_documents(settings.store_url, settings.data_dir))
    problems.register(app)
    sessions.register(app, settings)
    for module in _BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app
