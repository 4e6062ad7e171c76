"""The real server: gunicorn, run from Python, with the mail relay as a thread of each worker."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from api_srv import create_app
from api_srv.mailer.factory import make_carrier, make_relay

if TYPE_CHECKING:
    from types import FrameType

    from flask import Flask

    from api_srv.config import Settings
    from api_srv.mailer.relay import Relay
    from api_srv.services.bundle import Services

_LONGEST_LINE_BYTES = 8190  # so that every query of docs/protocol.md fits, whatever is asked for
_PARTING_S = 5.0  # for the mail that is on its way when the worker ends


class Worker(ThreadWorker):  # type: ignore[misc]
    """Ends on Ctrl-C (SIGINT, SIGQUIT) as it does on SIGTERM.

    gunicorn's quicker way shuts its thread pool down inside the signal handler: when the signal comes while the pool
    is handed a request, the main thread waits for ever for a lock that it holds itself.
    """

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the end."""
        self.handle_exit(sig, frame)


class Server(BaseApplication):  # type: ignore[misc]
    """Serves until it is told to stop (SIGTERM, Ctrl-C).

    Args:
        settings: see config.py.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._relay: tuple[Relay, threading.Thread] | None = None
        super().__init__()

    def load_config(self) -> None:
        """Translate our settings into gunicorn's."""
        settings = self._settings
        chosen = {
            "bind": f"{_bracketed(settings.host)}:{settings.port}",
            "workers": settings.workers,
            "worker_class": Worker,
            "threads": settings.threads,
            "timeout": 60,
            "limit_request_line": _LONGEST_LINE_BYTES,
            "graceful_timeout": 10,
            "keepalive": 5,
            "umask": 0o077,
            "loglevel": "warning",
            "certfile": settings.tls_cert or None,
            "keyfile": settings.tls_key or None,
            "control_socket_disable": True,
            "when_ready": self._announce,
            "post_worker_init": self._start_relay,
            "worker_exit": self._stop_relay,
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:  # control_socket_disable came with gunicorn 25
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application, once in each worker."""
        return create_app(self._settings)

    def _announce(self, arbiter: Any) -> None:
        scheme = "https" if self._settings.tls_cert else "http"
        for listener in arbiter.LISTENERS:
            host, port = listener.getsockname()[:2]
            click.echo(f"registry at {scheme}://{_bracketed(host)}:{port}")
        store = "MongoDB" if self._settings.store_url.startswith("mongodb") else "SQLite"
        click.echo(f"store: {store}; data: {self._settings.data_dir}")
        click.echo(f"mail: {make_carrier(self._settings).place}")

    def _start_relay(self, worker: Any) -> None:
        if not self._settings.relay:
            return
        services: Services = worker.wsgi.extensions["gridferry"]
        relay = make_relay(services)
        # A daemon thread: should the worker die, the lease makes good what it was at.
        thread = threading.Thread(target=relay.run, name="mail relay", daemon=True)
        thread.start()
        self._relay = relay, thread

    def _stop_relay(self, _arbiter: Any, _worker: Any) -> None:
        if self._relay:
            relay, thread = self._relay
            relay.stop()
            thread.join(_PARTING_S)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
