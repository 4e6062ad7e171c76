"""Logins on the web page: a signed cookie, a form that cannot be forged, headers that keep strangers out."""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Flask, Response, request, session

from api_srv.auth import services
from api_srv.errors import Forbidden

if TYPE_CHECKING:
    from pathlib import Path

    from api_srv.config import Settings
    from api_srv.services.accounts import Caller

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_YEAR_S = 365 * 24 * 3600


def register(app: Flask, settings: Settings) -> None:
    """Give the application its cookie key, its cookie's rules and its headers."""
    encrypted = settings.public_url.startswith("https://") or bool(settings.tls_cert)
    app.secret_key = session_key(settings.data_dir)
    app.config.update(
        SESSION_COOKIE_NAME="gridferry",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=encrypted,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
    )

    def guarded(response: Response) -> Response:
        response.headers.extend(_HEADERS)
        if encrypted:
            response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    app.after_request(guarded)


def session_key(folder: Path) -> bytes:
    """Return the key that signs cookies: random, made once, readable by the registry alone."""
    path, fresh = folder / "session.key", folder / f"session.key.{os.getpid()}"
    if not path.exists():
        fresh.touch(0o600)
        fresh.write_text(secrets.token_hex(32), encoding="ascii")
        with suppress(FileExistsError):  # another worker was faster: its key is ours, too
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()


def log_in(caller: Caller) -> None:
    """Begin a session; whatever an earlier one held is gone."""
    log_out()
    session.permanent = True
    session["login"] = services().logins.begin(caller)


def log_out() -> None:
    """End the session, here and for every copy of its cookie."""
    services().logins.end(session.get("login", ""))
    session.clear()


def logged_in() -> Caller | None:
    """Return whose session this is; None without one, or when it has ended."""
    return services().logins.whose(session["login"]) if "login" in session else None


def form_token() -> str:
    """Return what a form must send back to show that it is ours."""
    if "form" not in session:
        session["form"] = secrets.token_urlsafe(16)
    token: str = session["form"]
    return token


def check_form() -> None:
    """Raise Forbidden unless the form that was sent is one of ours."""
    sent, ours = request.form.get("form_token", ""), session.get("form", "") or secrets.token_hex()
    if not hmac.compare_digest(sent.encode(), ours.encode()):  # of text it takes ASCII alone
        raise Forbidden("this form is too old, or not ours", "Go back, reload the page and try again.")
