"""The client's settings, and the only reader of the environment: flags over environment over file over defaults."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from project.adapters.private_file import OpenToOthers, is_changeable_by_others, read_private
from project.core.errors import UsageError
from project.core.problems import InvalidDocument, Problem, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Where the context of a call keeps which profile `--profile` names.
PROFILE = "gridferry.profile"
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: Programs we start do not get this one.
TOKEN_VARIABLE = "GRIDFERRY_TOKEN"  # noqa: S105 - a name, no token
DEFAULT_REGISTRY = "http://127.0.0.1:7676"


class Setting(NamedTuple):
    """One setting.

    Attributes:
        key: in the settings file.
        variable: in the environment, "" if it has none.
        default: what holds when it is given nowhere.
        text: one line of help.
    """

    key: str
    variable: str
    default: str
    text: str


SETTINGS = (
    Setting("registry", "GRIDFERRY_REGISTRY", DEFAULT_REGISTRY, "URL of the registry."),
    Setting("", TOKEN_VARIABLE, "", "Your token there. Never on the command line."),
    Setting("token_file", "GRIDFERRY_TOKEN_FILE", "<home>/token", "Private file that holds it; `login` writes it."),
    Setting("", "GRIDFERRY_HOME", "~/.local/share/gridferry", "Records of your submissions and confirmed host keys."),
    Setting("profile", "GRIDFERRY_PROFILE", "", "Which of the `profiles:` holds; `--profile` says so, too."),
    Setting("", "GRIDFERRY_SETTINGS", "~/.config/gridferry/settings.yml", "The settings file."),
    Setting(
        "ssh_config", "GRIDFERRY_SSH_CONFIG", "~/.ssh/config", "OpenSSH configuration to honour; `none` for none."
    ),
    Setting(
        "known_hosts", "GRIDFERRY_KNOWN_HOSTS", "~/.ssh/known_hosts", "OpenSSH's known hosts, read and never written."
    ),
    Setting(
        "plain_http",
        "GRIDFERRY_PLAIN_HTTP",
        "false",
        "Whether tokens may travel unencrypted to a registry that is not on this machine: `true` or `false`.",
    ),
    Setting("timeout_s", "GRIDFERRY_TIMEOUT_S", "6", "How long a login node may take to answer as SSH."),
    Setting("cluster", "GRIDFERRY_CLUSTER", "", "Where `run` runs things; the only one there is unless said."),
    Setting("username", "GRIDFERRY_USERNAME", "", "Your account, for `run`; unless said, as you last logged in."),
    Setting("mail", "GRIDFERRY_MAIL", "", "Where mail goes, for `run`; the address of your account unless said."),
    Setting("time", "GRIDFERRY_TIME", "", "Time limit of `run`; the cluster's own unless said."),
    Setting("memory", "GRIDFERRY_MEMORY", "", "Memory of each node for `run`; the cluster's own unless said."),
)
CLUSTER_SETTINGS = (
    Setting("username", "", "", "Your account there, if it differs from the job file's."),
    Setting("private_key", "", "", "Your key there, if it differs from the job file's."),
    Setting("port", "", "", "SSH port, instead of the registry's."),
    Setting("python", "", "", "Interpreter there, instead of the registry's; run whoever it belongs to."),
    Setting("registry_url", "", "", "Where the cluster reaches the registry, if not where you do."),
)


@dataclass(frozen=True)
class Settings:
    """What holds for this call.

    Attributes:
        registry: URL.
        profile: the one that holds, "" for none.
        profiles: the names of all there are.
        token: of the user, "" if there is none.
        token_file: where `login` keeps it.
        home: folder of records and confirmed host keys.
        ssh_config: OpenSSH configuration, or None.
        known_hosts: OpenSSH's known hosts.
        timeout_s: limit for a login node to answer as SSH.
        plain_http: whether tokens may travel unencrypted.
        run: what `run` takes where nothing is said: cluster, username, mail, time, memory; "" for nothing.
        clusters: per cluster name, its CLUSTER_SETTINGS that are given.
    """

    registry: str
    profile: str
    profiles: Sequence[str]
    token: str = field(repr=False)
    token_file: Path
    home: Path
    ssh_config: Path | None
    known_hosts: Path
    timeout_s: float
    plain_http: bool
    run: Mapping[str, str]
    clusters: Mapping[str, Mapping[str, Any]]

    @property
    def records(self) -> Path:
        """Folder of the records of submissions."""
        return self.home / "jobs"

    @property
    def confirmed_hosts(self) -> Path:
        """Host keys this user has confirmed here, in known_hosts format."""
        return self.home / "known_hosts"


def wants_colour(environment: Mapping[str, str] = os.environ) -> bool | None:
    """Return False where colours are not wanted (https://no-color.org) or not known, None if the stream decides."""
    return False if environment.get("NO_COLOR") or environment.get("TERM") == "dumb" else None


def child_environment() -> dict[str, str]:
    """Return the environment for programs we start, without what is for us alone."""
    return {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}


def load_settings(environment: Mapping[str, str] = os.environ, profile: str = "") -> Settings:
    """Read the settings.

    Args:
        environment: variables.
        profile: what `--profile` says; what stands in that profile wins over the environment.

    Raises:
        UsageError: a file named by them cannot be read, or a value makes no sense.
        InvalidDocument: the settings file has problems.
    """
    path = _path(environment.get("GRIDFERRY_SETTINGS", "~/.config/gridferry/settings.yml"))
    document = _read_file(path)
    named = profile or environment.get("GRIDFERRY_PROFILE") or str(document.get("profile") or "")
    chosen = _profile(document, named)
    document = {**document, **chosen}
    if profile:
        won = {setting.variable for setting in SETTINGS if setting.key in chosen} | {TOKEN_VARIABLE}
        environment = {name: text for name, text in environment.items() if name not in won}

    def value(key: str) -> str:
        setting = next(s for s in SETTINGS if key in (s.key, s.variable))
        return str(environment.get(setting.variable) or document.get(setting.key) or setting.default)

    home = _path(value("GRIDFERRY_HOME"))
    token_file = _token_file(value("token_file"), home, named)
    if is_changeable_by_others(home):
        raise UsageError(
            f"others may change what is in {home}: host keys you trust, your token", remedy=f"Run: chmod go-w {home}"
        )
    ssh_config = value("ssh_config")
    return Settings(
        registry=value("registry"),
        profile=named,
        profiles=sorted(map(str, document.get("profiles") or ())),
        token=environment.get(TOKEN_VARIABLE) or _token(token_file),
        token_file=token_file,
        home=home,
        ssh_config=None if ssh_config == "none" else _path(ssh_config),
        known_hosts=_path(value("known_hosts")),
        timeout_s=_seconds(value("timeout_s")),
        plain_http=_truth("plain_http", value("plain_http")),
        run={key: value(key) for key in ("cluster", "username", "mail", "time", "memory")},
        clusters={str(name): dict(given or {}) for name, given in (document.get("clusters") or {}).items()},
    )


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"timeout_s is {text!r}, not a number of seconds", remedy="Write for example 6") from None


def _truth(key: str, text: str) -> bool:
    known = {"true": True, "false": False}
    if text.lower() not in known:
        raise UsageError(f"{key} is {text!r}, neither true nor false", remedy="Write true or false")
    return known[text.lower()]


def _profile(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what a profile says; "" names none."""
    profiles = document.get("profiles") or {}
    if not name:
        return {}
    if name not in profiles or not _PROFILE.fullmatch(name):
        remedy = (
            _hint(name, sorted(map(str, profiles))) if profiles else "Write it below `profiles` in the settings file"
        )
        raise UsageError(f"the settings have no profile {name!r}", remedy=remedy)
    return dict(profiles[name] or {})


def _token_file(file: str, home: Path, profile: str) -> Path:
    """Return where the token is kept; each profile has a file of its own unless it names one."""
    own = f"token-{profile}" if profile else "token"
    return _path(file.replace("<home>/token", str(home / own)))


def _token(path: Path) -> str:
    try:
        return read_private(path).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""
    except OpenToOthers as error:
        raise UsageError(
            f"the token file {path} {error}", remedy="Get a new token if others may have read it"
        ) from None
    except OSError as error:
        raise UsageError(
            f"the token file {path} cannot be read: {error.strerror}", remedy="Check its rights"
        ) from error


def _read_file(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    from project.adapters.user_input import load  # noqa: PLC0415 - no settings file, no YAML to import

    loaded = load(path)
    document = {} if loaded.document is None else loaded.document
    groups = list(_groups(document)) if isinstance(document, dict) else [("", document)]
    remedy = "Write keys with values below it, as docs/client.md shows"
    problems = [
        Problem(key, "this is not a group of keys", remedy, loaded.lines.get(key))
        for key, group in groups
        if not isinstance(group, dict)
    ]
    problems = problems or [
        Problem(key, "this setting is not known", _hint(key, known), loaded.lines.get(key))
        for key, known in _keys(document)
        if key.rpartition(".")[2] not in known
    ]
    if problems:
        raise InvalidDocument(str(path), problems)
    return dict(document)


def _groups(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each group of keys by its own key; what is null is an empty one."""
    for name in ("clusters", "profiles"):
        outer = document.get(name) or {}
        yield name, outer
        if isinstance(outer, dict):
            yield from ((f"{name}.{key}", {} if inner is None else inner) for key, inner in outer.items())


def _keys(document: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    top = [setting.key for setting in SETTINGS if setting.key] + ["clusters"]
    profiles = document.get("profiles") or {}
    of_profiles = [(f"profiles.{name}.{key}", top) for name, given in profiles.items() for key in given or {}]
    inner = [setting.key for setting in CLUSTER_SETTINGS]
    clusters = document.get("clusters") or {}
    below = [(f"clusters.{name}.{key}", inner) for name, given in clusters.items() for key in given or {}]
    return [(str(key), [*top, "profiles"]) for key in document] + below + of_profiles


def _hint(key: str, known: list[str]) -> str:
    likely = nearest(key, known)
    return f"Did you mean `{likely}`?" if likely else f"Settings here are {', '.join(known)}"
