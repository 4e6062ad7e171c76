"""Starts and stops a grid: clusters of some site, a registry, a mail server, and the environment of a client."""

from __future__ import annotations

import email
import email.policy
import functools
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from demo.site import SandboxSite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from email.message import EmailMessage

    from demo.site import Login, Site
    from project.sandbox.describe import SandboxInfo

_ROOT = Path(__file__).resolve().parent.parent
_START_LIMIT_S = 30.0
_STOP_LIMIT_S = 15.0
ACCOUNT = "ada"
MAIL = "ada@example.org"


@dataclass
class Server:
    """A server we started.

    Attributes:
        process: it.
        first_line: what it printed once it was ready.
    """

    process: subprocess.Popen[str]
    first_line: str

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait until it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
            self.process.wait(_STOP_LIMIT_S)


@dataclass
class Grid:
    """Everything a job needs, in one folder.

    Attributes:
        folder: where it lies; short, since sockets lie in it.
        chosen_site: where its clusters come from; by default a sandbox in `folder`.
        progress: told each step and its seconds.
        registry_settings: further settings of the registry.
        clusters: how to reach them, once they run.
    """

    folder: Path
    chosen_site: Site | None = None
    progress: Callable[[str, float], None] = lambda _step, _seconds: None
    registry_settings: Mapping[str, str] = field(default_factory=dict)
    smtp: Server | None = field(default=None, init=False)
    registry: Server | None = field(default=None, init=False)
    registry_port: int = field(default=0, init=False)
    clusters: Sequence[Login] = field(default=(), init=False)
    token: str = field(default="", init=False, repr=False)

    def start(self) -> None:
        """Start all of it; what was started is stopped again if something does not start."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._step("Slurm", self.start_clusters)
            self._step("mail server", self.start_mail)
            self._step("registry", self.start_registry)
            self._step("account", self._make_account)
            for cluster in self.clusters:
                self.register(cluster)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what was started."""
        for server in (self.registry, self.smtp):
            if server is not None:
                server.stop()
        if self.clusters:
            self.site.down()

    @functools.cached_property
    def site(self) -> Site:
        """Where its clusters come from."""
        return self.chosen_site or SandboxSite(self.folder / "slurm")

    @property
    def info(self) -> Login:
        """The first cluster; it must have been started."""
        return self.clusters[0]

    @property
    def sandbox(self) -> SandboxInfo:
        """The sandbox, of a grid that has one."""
        assert isinstance(self.site, SandboxSite)  # noqa: S101 - a caller's mistake
        assert self.site.info is not None  # noqa: S101 - a caller's mistake
        return self.site.info

    @property
    def registry_url(self) -> str:
        """Where the registry answers, for the client as for the clusters."""
        return f"http://{self.site.registry_host}:{self.registry_port}"

    def start_clusters(self) -> None:
        """Start the clusters."""
        self.clusters = self.site.up(self.progress)

    def start_mail(self) -> None:
        """Start the mail server, on the same port as last time."""
        port = self.smtp.first_line if self.smtp else "0"
        self.smtp = self._serve([sys.executable, "-m", "demo.mail_sink", str(self.mail_folder), port], "mail.log")

    def start_registry(self) -> None:
        """Start the registry, on the same port as last time."""
        assert self.smtp is not None  # noqa: S101 - a caller's mistake
        settings = {
            "GRIDFERRY_API_DATA_DIR": str(self.folder / "registry"),
            "GRIDFERRY_API_SMTP_HOST": "127.0.0.1",
            "GRIDFERRY_API_SMTP_PORT": self.smtp.first_line,
            "GRIDFERRY_API_SMTP_STARTTLS": "false",
            "GRIDFERRY_API_MAIL_PER_HOUR": "100000",  # one account here has the jobs of many: no mail is held back
            **self.registry_settings,
        }
        argv = [
            sys.executable,
            "-m",
            "api_srv",
            "serve",
            "--port",
            str(self.registry_port),
            "--host",
            self.site.registry_host,
        ]
        self.registry = self._serve(argv, "registry.log", settings)
        self.registry_port = int(self.registry.first_line.rpartition(":")[2])

    def register(self, cluster: Login, **changes: Any) -> None:
        """Let the registry and the client know a cluster; `changes` go into its document."""
        document = {**cluster.cluster_document(), **changes}
        self.admin("cluster", "add", "-", stdin=json.dumps(document))
        known = self.home / "known_hosts"
        lines = [f"[{cluster.ssh_host}]:{cluster.ssh_port} {key}\n" for key in cluster.host_keys]
        known.write_text(
            "".join(dict.fromkeys([*(known.read_text().splitlines(keepends=True) if known.exists() else []), *lines]))
        )

    @property
    def home(self) -> Path:
        """The client's own folder."""
        home = self.folder / "home"
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return home

    @property
    def mail_folder(self) -> Path:
        """Where mails arrive."""
        return self.folder / "mail"

    @property
    def settings_file(self) -> Path:
        """The client's settings, for whoever wants some."""
        return self.folder / "settings.yml"

    @property
    def client_variables(self) -> dict[str, str]:
        """What makes a client use this grid and nothing else of this account."""
        return {
            "GRIDFERRY_REGISTRY": self.registry_url,
            "GRIDFERRY_PLAIN_HTTP": "true",  # to containers of this very machine; whoever can listen there is root
            "GRIDFERRY_HOME": str(self.home),
            "GRIDFERRY_SETTINGS": str(self.settings_file),
            "GRIDFERRY_SSH_CONFIG": "none",
            "GRIDFERRY_KNOWN_HOSTS": str(self.folder / "no_known_hosts"),
        }

    def client_argv(self, *arguments: str) -> list[str]:
        """Return the command line of the client."""
        return [sys.executable, "-m", "project", *arguments]

    def client(
        self,
        *arguments: str,
        folder: Path | None = None,
        check: bool = False,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[str]:
        """Run the client as a user would, in a process of its own, with these variables; its home is this grid's."""
        environment = {**os.environ, "PYTHONPATH": str(_ROOT), **self.client_variables, **variables}
        return subprocess.run(
            self.client_argv(*arguments),
            cwd=folder or self.folder,
            env=environment,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=check,
        )

    def job_settings(self, **more: str) -> list[str]:
        """Return the `--set` words that bring a job file to this grid."""
        settings = {
            "username": self.info.ssh_user,
            "private_key": str(self.info.ssh_key),
            "user_mail": MAIL,
            "destination_cluster": self.info.name,
            **more,
        }
        return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]

    def mails(self, about: str = "") -> list[EmailMessage]:
        """Return the mails that have arrived, in order; only those that name `about` in their subject or text."""
        paths = sorted(self.mail_folder.glob("*.eml"))
        messages = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
        return [message for message in messages if about in message.as_string()]

    def _make_account(self) -> None:
        """Make the account; keep its token where the client looks for it, and its password for the web page."""
        kept = self.home / "token"
        if not kept.exists():
            self.password_file.touch(mode=0o600)
            self.password_file.write_text(f"{secrets.token_urlsafe(12)}\n")
            words = ("user", "add", ACCOUNT, "--mail", MAIL, "--admin", "--password-stdin")
            printed = self.admin(*words, stdin=self.password_file.read_text())
            kept.touch(mode=0o600)
            kept.write_text(printed.split()[-1])
        self.token = kept.read_text()

    @property
    def password_file(self) -> Path:
        """The private file with the account's password for the registry's page."""
        return self.home / "password"

    def admin(self, *arguments: str, stdin: str = "") -> str:
        """Run one of the registry's commands; return what it prints."""
        argv = [sys.executable, "-m", "api_srv", *arguments, "--data-dir", str(self.folder / "registry")]
        done = subprocess.run(argv, cwd=_ROOT, text=True, input=stdin, stdout=subprocess.PIPE, check=True)
        return done.stdout

    def _serve(self, argv: Sequence[str], log: str, settings: dict[str, str] | None = None) -> Server:
        """Start a server in a session of its own; return once it has printed its first line."""
        path = self.folder / log
        with path.open("w") as stream:
            process = subprocess.Popen(
                list(argv),
                cwd=_ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(settings or {})},
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < deadline and process.poll() is None:
            first, newline, _ = path.read_text().partition("\n")
            if newline:
                return Server(process, first)
            time.sleep(0.02)
        raise RuntimeError(f"{argv[2]} did not start: {path.read_text()}")

    def _step(self, name: str, work: Callable[[], None]) -> None:
        started = time.monotonic()
        work()
        self.progress(name, time.monotonic() - started)
