"""Git repositories over HTTPS for those who log in: git-http-backend behind a small server."""

from __future__ import annotations

import base64
import contextlib
import os
import ssl
import subprocess
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.certificates import Certificate

ACCOUNT, PASSWORD = "jane", "pass phrase"
_LIMIT_S = 30


@dataclass
class _Served:
    root: Path
    authorization: str


def _handler(served: _Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Runs git-http-backend as a CGI program (RFC 3875) for those who know the password."""

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_request(self, *_: object) -> None:
            """Say nothing."""

        def _serve(self) -> None:
            if self.headers.get("Authorization") != served.authorization:
                self.send_response(HTTPStatus.UNAUTHORIZED)
                self.send_header("WWW-Authenticate", 'Basic realm="repositories"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            done = subprocess.run(
                ["git", "http-backend"],
                env=_environment(served, self),
                input=content,
                stdout=subprocess.PIPE,
                check=True,
                timeout=_LIMIT_S,
            )
            headers, _, body = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.decode().split(": ", 1) for line in headers.split(b"\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in {**fields, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _environment(served: _Served, request: BaseHTTPRequestHandler) -> dict[str, str]:
    """Return what a CGI program is told of a request, and this one of the repositories."""
    path, _, query = request.path.partition("?")
    return {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(served.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "REMOTE_USER": ACCOUNT,
    }


@contextlib.contextmanager
def https_server(root: Path, certificate: Certificate) -> Iterator[str]:
    """Serve the repositories in a folder on loopback; give the address they begin with."""
    authorization = "Basic " + base64.b64encode(f"{ACCOUNT}:{PASSWORD}".encode()).decode()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(_Served(root, authorization))) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
