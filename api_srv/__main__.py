"""`python -m api_srv`: serve the registry, or administer it."""

from __future__ import annotations

import signal
import sys

import click

from api_srv import logs
from api_srv.commands import cluster, user
from api_srv.dao.documents import open_documents
from api_srv.listening import check_address
from api_srv.mailer.factory import make_relay
from api_srv.options import load_settings, open_services, settings_options
from project.core.errors import GridferryError


@click.group(invoke_without_command=True)
@settings_options()
@click.pass_context
def cli(context: click.Context) -> None:
    """Serve the registry (that is also what happens without a command), or administer it."""
    if context.invoked_subcommand is None:
        context.invoke(serve)


@cli.command()
@settings_options()
def serve() -> None:
    """Serve the REST API and the page."""
    from api_srv.server import Server  # noqa: PLC0415 - the other commands need neither gunicorn nor Flask

    settings = load_settings()
    check_address(settings.host, settings.port)  # what cannot be had or opened is told here, not by workers
    open_documents(settings.store_url, settings.data_dir).close()
    Server(settings).run()


@cli.command()
@settings_options("data_dir")
def relay() -> None:
    """Send mail, and nothing else; for a server started with --no-relay."""
    services = open_services()
    sender = make_relay(services)
    click.echo(f"mail: {sender.place}")
    signal.signal(signal.SIGTERM, lambda *_: sender.stop())
    sender.run()


cli.add_command(user)
cli.add_command(cluster)


def main() -> None:
    """Run the command line; what goes wrong is told in words, never as a traceback."""
    logs.set_up()
    name = "gridferry-api" if sys.argv[0].endswith("/gridferry-api") else "python -m api_srv"
    sys.argv[0] = "python -m api_srv"  # gunicorn would read its own options from argv otherwise
    try:
        cli(prog_name=name)
    except GridferryError as error:
        click.echo(f"{error.message}\n{error.remedy}".strip(), err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
