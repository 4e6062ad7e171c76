"""The registry: knows clusters, keeps jobs and their states, mails their owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from api_srv.config import Settings
    from api_srv.dao.ports import Documents


def create_app(settings: Settings, documents: Documents | None = None) -> Flask:
    """Make the WSGI application.

    Args:
        settings: as `config.load` returns them.
        documents: the database, if another than the settings say.

    Raises:
        SettingsInvalid, StoreUnavailable: the database cannot be opened.
    """
    from api_srv.application import make_application  # noqa: PLC0415 - the administrator's commands need no Flask

    return make_application(settings, documents)
