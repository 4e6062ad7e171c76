"""Who asks: tokens, passwords, and the decorators that say who may."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from flask import current_app, request

from api_srv.errors import Forbidden, Unauthorised
from api_srv.services.accounts import REPORT, USER, Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_srv.services.bundle import Services

R = TypeVar("R")


def services() -> Services:
    """Return the services of the application that answers."""
    bundle: Services = current_app.extensions["gridferry"]
    return bundle


def caller() -> Caller:
    """Return whose token the request bears.

    Raises:
        Unauthorised: there is none, or it is unknown or expired.
    """
    return services().accounts.identify(bearer_token())


def bearer_token() -> str:
    """Return the token that the request bears (Unauthorised if there is none)."""
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        raise Unauthorised("this needs a token", "Send `Authorization: Bearer …`; POST /tokens makes one.")
    return authorization.token


def password_caller() -> Caller:
    """Return who the request's HTTP Basic name and password belong to.

    Raises:
        Unauthorised, TooManyAttempts: see Accounts.login.
    """
    authorization = request.authorization
    if authorization is None or authorization.type != "basic" or not authorization.username:
        raise Unauthorised("this needs an account name and password", "Send them by HTTP Basic.")
    return services().accounts.login(
        authorization.username, authorization.password or "", request.remote_addr or "unknown"
    )


def requires(*scopes: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Let a view be called, with the caller as its first argument, by tokens of these scopes only."""

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> R:
            who = caller()
            if who.scope not in scopes:
                raise Forbidden("a report token can only report", "Use your own token for this.")
            return view(who, *args, **kwargs)

        checked.scopes = scopes  # type: ignore[attr-defined] # for the description of the API
        return checked

    return decorate


def require_admin(who: Caller) -> None:
    """Raise Forbidden unless the caller is an administrator."""
    if not who.admin:
        raise Forbidden("only administrators may do this", "Ask an administrator of the registry.")


user_only = requires(USER)
user_or_report = requires(USER, REPORT)
