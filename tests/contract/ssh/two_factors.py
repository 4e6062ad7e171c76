"""An SSH server that asks for a second factor.

sshd cannot ask without PAM, which tests must not touch, so a server made of paramiko stands in.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
)
from paramiko.server import InteractiveQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE = "123456"


class TwoFactors(paramiko.ServerInterface):
    """Wants any key, then a name and a code.

    Args:
        code: the right one.
    """

    def __init__(self, code: str = CODE) -> None:
        self._code = code
        self.shown = threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        """Say what it wants next."""
        del username
        return "keyboard-interactive" if self.shown.is_set() else "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Take any key, which is not enough."""
        del username, key
        self.shown.set()
        return AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_interactive(self, username: str, submethods: bytes | str) -> int | InteractiveQuery:
        """Ask for a name, which may be seen, and a code."""
        del username, submethods
        return InteractiveQuery("Two factors", "Look at your telephone.", ("Your name: ", True), ("Code: ", False))

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        """Let in who knows both."""
        return AUTH_SUCCESSFUL if responses == ["me", self._code] else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Have nothing to offer."""
        del kind, chanid
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


@contextlib.contextmanager
def two_factor_server(host_key: paramiko.PKey, code: str = CODE) -> Iterator[int]:
    """Run one; yield its port."""
    ended = threading.Event()
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError, paramiko.SSHException, EOFError):  # who only looks in goes again
                connection, _ = listening.accept()
                transport = paramiko.Transport(connection)
                transports.append(transport)
                transport.add_server_key(host_key)
                transport.start_server(event=threading.Event(), server=TwoFactors(code))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            ended.set()
            thread.join()
            for transport in transports:
                transport.close()
