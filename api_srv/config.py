"""The registry's settings: one table, read from flags, the environment and files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from api_srv.errors import SettingsInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATA_DIR = Path("~/.local/share/gridferry-registry")
PREFIX = "GRIDFERRY_API_"
_YES = frozenset(("1", "true", "yes", "on"))
_NO = frozenset(("0", "false", "no", "off"))
_LAST_PORT = 65535


def _setting(
    default: Any, help_text: str, *, secret: bool = False, env: str = "", least: float = 0, most: float = inf
) -> Any:
    metadata = {"help": help_text, "secret": secret, "env": env, "range": (least, most)}
    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting, with its default; a secret one may also be read from the file that `…_FILE` names."""

    host: str = _setting("127.0.0.1", "address to listen on; 0.0.0.0 for all")
    port: int = _setting(7676, "port to listen on; 0 takes a free one", most=_LAST_PORT)
    workers: int = _setting(1, "processes that serve; more than one is for MongoDB or a busy registry", least=1)
    threads: int = _setting(16, "threads in each process", least=1)
    data_dir: Path = _setting(  # noqa: RUF009 - it makes a field
        _DATA_DIR, "where the SQLite file, the cookie key and mail without a server lie"
    )
    store_url: str = _setting(
        "",
        "mongodb://user:password@host/database, or empty for SQLite in the data directory",
        secret=True,
        env="GRIDFERRY_STORE_URL",
    )
    public_url: str = _setting("", "https address under which clusters and people reach the registry")
    proxies: int = _setting(0, "how many reverse proxies stand in front and set X-Forwarded-*")
    tls_cert: str = _setting("", "PEM certificate to serve HTTPS without a reverse proxy")
    tls_key: str = _setting("", "PEM key of that certificate")
    request_limit_mib: int = _setting(16, "largest body of a request to /reports, in MiB (others: 2 MiB)", least=1)
    token_days: int = _setting(180, "days a user token lives")
    report_token_days: int = _setting(30, "days a report token lives after its last use")
    session_hours: int = _setting(12, "hours a login on the web page lasts")
    login_attempts: int = _setting(5, "failed logins per account and address before it must wait 15 minutes", least=1)
    relay: bool = _setting(default=True, help_text="send mail from the server's own process")
    smtp_host: str = _setting("", "mail server; empty writes .eml files into the data directory")
    smtp_port: int = _setting(587, "port of the mail server", least=1, most=_LAST_PORT)
    smtp_starttls: bool = _setting(default=True, help_text="encrypt by STARTTLS, or do not send")
    smtp_user: str = _setting("", "account at the mail server; empty for none")
    smtp_password: str = _setting("", "password of that account", secret=True)
    mail_from: str = _setting("gridferry@localhost", "address the mails come from")
    mail_domains: str = _setting("", "comma-separated domains that a job's user_mail may lie in")
    mail_per_hour: int = _setting(300, "mails an account is sent in an hour; the others wait")
    mail_lease_s: float = _setting(300.0, "seconds until a mail claimed by a relay that died is sent again", least=1)
    mail_poll_s: float = _setting(5.0, "seconds between looks for mails that other processes queued", least=0.05)

    @property
    def base_url(self) -> str:
        """The public address without a slash at its end, "" if none is set."""
        return self.public_url.rstrip("/")

    @property
    def allowed_domains(self) -> frozenset[str]:
        """The domains of `mail_domains`, in lower case."""
        return frozenset(domain.strip().lower() for domain in self.mail_domains.split(",") if domain.strip())


def variable(field: dataclasses.Field[Any]) -> str:
    """Return the environment variable of a setting."""
    return field.metadata["env"] or PREFIX + field.name.upper()


def load(environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings; a flag goes before the environment, the environment before the default.

    Raises:
        SettingsInvalid: a value is not of its type, or a file cannot be read.
    """
    types = get_type_hints(Settings)
    values = {}
    for field in dataclasses.fields(Settings):
        given = (flags or {}).get(field.name)
        text = given if given is not None else _from_environment(field, environ)
        if text is not None:
            values[field.name] = _parse(field, text, types[field.name])
    settings = Settings(**values)
    return dataclasses.replace(settings, data_dir=settings.data_dir.expanduser().absolute())


def _from_environment(field: dataclasses.Field[Any], environ: Mapping[str, str]) -> str | None:
    name = variable(field)
    path = environ.get(f"{name}_FILE") if field.metadata["secret"] else None
    if path is None:
        return environ.get(name)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsInvalid(f"{name}_FILE: {error}", "Name a file that the registry may read.") from error


def _truth(word: str) -> bool:
    if word not in _YES | _NO:
        raise ValueError(word)
    return word in _YES


def _within(number: float, least: float, most: float) -> float:
    if not least <= number <= most:
        raise ValueError(number)
    return number


def _parse(field: dataclasses.Field[Any], value: Any, kind: type) -> Any:
    least, most = field.metadata["range"]
    try:
        if kind is bool and isinstance(value, str):
            return _truth(value.strip().lower())
        return _within(kind(value), least, most) if kind in (int, float) else kind(value)
    except ValueError as error:
        wanted = {bool: "yes or no", int: "a whole number", float: "a number"}.get(kind, kind.__name__)
        limits = "" if kind is bool else f" from {least:g}" + ("" if most == inf else f" to {most:g}")
        raise SettingsInvalid(f"{variable(field)} is {value!r}", f"Write {wanted}{limits}.") from error
