"""Command-line options made from the table of settings."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api_srv import config
from api_srv.dao.documents import open_documents
from api_srv.errors import SettingsInvalid
from api_srv.services.bundle import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_srv.services.bundle import Services

    Command = Callable[..., Any]

_PRIVATE = 0o077


def settings_options(*names: str) -> Callable[[Command], Command]:
    """Add an option for each of these settings (all, if none is named) but the secret ones: argv is public."""

    def decorate(command: Command) -> Command:
        for field in reversed(dataclasses.fields(config.Settings)):
            if not field.metadata["secret"] and (not names or field.name in names):
                command = _option(field)(command)
        return command

    return decorate


def _option(field: dataclasses.Field[Any]) -> Callable[[Command], Command]:
    flag = field.name.replace("_", "-")
    declaration = f"--{flag}/--no-{flag}" if isinstance(field.default, bool) else f"--{flag}"
    text = f"{field.metadata['help']} [{config.variable(field)}; default: {field.default}]"
    return click.option(declaration, field.name, default=None, help=text, expose_value=False, callback=_remember)


def _remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Collect what is given, in front of a sub-command or after it, in one place."""
    flags: dict[str, Any] = context.find_root().meta.setdefault("gridferry.flags", {})
    if value is not None:
        flags[str(option.name)] = value


def load_settings() -> config.Settings:
    """Read the settings: flags, environment, defaults. What is written from here on is private to the user."""
    os.umask(_PRIVATE)
    flags = click.get_current_context().find_root().meta.get("gridferry.flags", {})
    settings = config.load(os.environ, flags)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        for path in filter(None, (settings.tls_cert, settings.tls_key)):
            Path(path).open("rb").close()
    except OSError as error:
        raise SettingsInvalid(f"a file or folder of the settings cannot be used: {error}", "Correct it.") from error
    return settings


def open_services() -> Services:
    """Open the registry's database for a command."""
    settings = load_settings()
    return build(settings, open_documents(settings.store_url, settings.data_dir))
