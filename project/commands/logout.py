"""`logout`: the token is worth nothing any more."""

from __future__ import annotations

import json

import click

from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.core.errors import RegistryError
from project.options import output_options


@click.command("logout")
@output_options()
def command(*, as_json: bool) -> None:
    """Tell the registry to forget your token, and remove the file that holds it."""
    gateway = make_gateway()
    settings = gateway.settings
    told = ""
    if settings.token:
        try:
            gateway.registry.forget_token()
        except RegistryError as error:  # it may have expired, or the registry is away: here it is forgotten anyway
            told = error.message
    settings.token_file.unlink(missing_ok=True)
    if as_json:
        say(json.dumps({"registry": settings.registry, "not_told": told}))
        return
    if told:
        say(f"the registry may still take the token: {told}", to_stderr=True)
    say(f"logged out of {settings.registry}" if settings.token else "there was no token")
