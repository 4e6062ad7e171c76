"""The administrator's commands: accounts and clusters."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from api_srv.options import open_services, settings_options
from project.core.errors import InvalidInput

if TYPE_CHECKING:
    from typing import TextIO

_PASSWORD_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group()
def user() -> None:
    """Accounts and their tokens."""


@user.command("add")
@click.argument("name")
@click.option("--mail", required=True, help="The account's own address; mail about its jobs goes there.")
@click.option("--admin", is_flag=True, help="May change clusters.")
@_PASSWORD_STDIN
@settings_options("data_dir")
def add_user(name: str, mail: str, *, admin: bool, password_stdin: bool) -> None:
    """Create the account NAME and print a token for it, once."""
    accounts = open_services().accounts
    accounts.add(name, mail, admin=admin, password=_password(from_stdin=password_stdin))
    _print_token(*accounts.issue_token(name))


@user.command("list")
@settings_options("data_dir")
def list_users() -> None:
    """List the accounts."""
    for account in open_services().accounts.all():
        login = "password" if account["password_hash"] else "tokens only"
        click.echo(f"{account['_id']}\t{account['mail']}\t{account['role']}\t{login}")


@user.command("token")
@click.argument("name")
@settings_options("data_dir")
def make_token(name: str) -> None:
    """Print another token for the account NAME."""
    _print_token(*open_services().accounts.issue_token(name))


@user.command("password")
@click.argument("name")
@_PASSWORD_STDIN
@settings_options("data_dir")
def set_password(name: str, *, password_stdin: bool) -> None:
    """Give the account NAME another password."""
    open_services().accounts.set_password(name, _password(from_stdin=password_stdin))


@user.command("revoke")
@click.argument("name")
@settings_options("data_dir")
def revoke(name: str) -> None:
    """Make every token of the account NAME useless, and end its logins on the web page."""
    services = open_services()
    click.echo(f"tokens revoked: {services.accounts.revoke(name)}")
    services.logins.end_all(name)


@click.group()
def cluster() -> None:
    """The clusters jobs may go to."""


@cluster.command("add")
@click.argument("file", type=click.File(encoding="utf-8"))
@settings_options("data_dir")
def add_cluster(file: TextIO) -> None:
    """Create or edit the clusters of a JSON FILE (one object, or a list of them); - is standard input."""
    clusters = open_services().clusters
    for document in _documents(file):
        name = str(document.get("name", ""))
        _, created = clusters.put(name, document)
        click.echo(f"{name}: {'added' if created else 'changed'}")


@cluster.command("list")
@settings_options("data_dir")
def list_clusters() -> None:
    """List the clusters."""
    for known in open_services().clusters.all():
        enabled = "enabled" if known["enabled"] else "disabled"
        seen = known["status"]["taken_at"] if known["status"] else "no status yet"
        click.echo(f"{known['name']}\t{known['hostname']}:{known['port']}\t{enabled}\t{seen}")


@cluster.command("disable")
@click.argument("name")
@settings_options("data_dir")
def disable(name: str) -> None:
    """Let no new job go to the cluster NAME."""
    _switch(name, enabled=False)


@cluster.command("enable")
@click.argument("name")
@settings_options("data_dir")
def enable(name: str) -> None:
    """Let jobs go to the cluster NAME again."""
    _switch(name, enabled=True)


@cluster.command("remove")
@click.argument("name")
@settings_options("data_dir")
def remove(name: str) -> None:
    """Forget the cluster NAME; jobs there go on."""
    open_services().clusters.remove(name)


def _switch(name: str, *, enabled: bool) -> None:
    clusters = open_services().clusters
    clusters.description(name)
    clusters.put(name, {"enabled": enabled})


def _password(*, from_stdin: bool) -> str:
    """Return a password: from standard input, from the terminal, or "" if nobody is there to ask."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        return ""
    question = "Password (Enter for none: tokens only)"
    answer: str = click.prompt(question, default="", hide_input=True, show_default=False, confirmation_prompt=True)
    return answer


def _print_token(token: str, expires_at: str) -> None:
    """Print the token alone on standard output, so that a script can keep it; the rest is for people."""
    click.echo(f"token, shown this once, until {expires_at[:10]}:", err=True)
    click.echo(token)


def _documents(file: TextIO) -> list[dict[str, Any]]:
    try:
        content = json.load(file)
    except ValueError as error:
        raise InvalidInput(f"{file.name} is no JSON: {error}", "Write one cluster as a JSON object.") from error
    documents = content if isinstance(content, list) else [content]
    if not all(isinstance(document, dict) for document in documents):
        raise InvalidInput(f"{file.name} holds no cluster", "Write one cluster as a JSON object, or a list of them.")
    return documents
