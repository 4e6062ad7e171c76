"""`login`: a password becomes a token."""

from __future__ import annotations

import getpass
import json

import click

from project.adapters.private_file import make_private_folder
from project.adapters.records import write_private
from project.adapters.registry import PasswordRegistry
from project.adapters.terminal import say
from project.bootstrap import make_gateway
from project.options import output_options


@click.command("login")
@click.option("--account", metavar="NAME", help="Your account at the registry; asked for unless said.")
@output_options()
def command(*, account: str | None, as_json: bool) -> None:
    """Ask for your password and get a token from the registry; it is kept in a private file, the password is not."""
    gateway = make_gateway()
    settings = gateway.settings
    name = account or gateway.prompter.text(f"Account at {settings.registry}", getpass.getuser())
    password = gateway.prompter.secret(f"Password of {name}")
    issued = PasswordRegistry(settings.registry, name, password, plain_http=settings.plain_http).token()
    make_private_folder(settings.token_file.parent)
    write_private(settings.token_file, f"{issued['token']}\n".encode())
    until = str(issued["expires_at"])
    if as_json:
        document = {"account": name, "registry": settings.registry, "expires_at": until}
        say(json.dumps({**document, "token_file": str(settings.token_file)}))
        return
    say(f"logged in to {settings.registry} as {name} until {until[:10]}; the token is in {settings.token_file}")
