"""A registry as its own process, and a client that speaks its REST API."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import uuid
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import requests

from api_srv.config import load
from api_srv.dao.documents import open_documents
from api_srv.services.bundle import build
from project.core.messages import format_utc
from tests.contract.processes import poll, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from email.message import EmailMessage
    from pathlib import Path

    from api_srv.services.bundle import Services

_TIMEOUT_S = 30
PASSWORD = "correct horse"
AT = format_utc(1_790_000_000)


class RegistryProcess:
    """`python -m api_srv` over one data directory; may be started again after its end.

    Args:
        folder: where its data lies.
        settings: environment variables of the registry.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._output = folder / "output"
        own = {name: value for name, value in os.environ.items() if not name.startswith("GRIDFERRY_")}
        self._environment = {**own, "GRIDFERRY_API_DATA_DIR": str(folder), "PYTHONWARNINGS": "error", **settings}
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.tokens: dict[str, str] = {}

    def command(self, *words: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a sub-command of the registry."""
        argv = [sys.executable, "-m", "api_srv", *words]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=check, env=self._environment)

    def furnish(self) -> None:
        """Create the account `ann` and the cluster `demo`."""
        self.add_user("ann")
        with self._services() as services:
            services.clusters.put("demo", {"hostname": "demo.example.org"})

    def add_user(self, name: str, *, admin: bool = False) -> None:
        """Create an account with a password and keep its token (the commands have tests of their own)."""
        with self._services() as services:
            services.accounts.add(name, f"{name}@example.org", admin=admin, password=PASSWORD)
            self.tokens[name], _ = services.accounts.issue_token(name)

    @contextlib.contextmanager
    def _services(self) -> Iterator[Services]:
        settings = load(self._environment)
        documents = open_documents(settings.store_url, settings.data_dir)
        try:
            yield build(settings, documents)
        finally:
            documents.close()

    def put_cluster(self, name: str, **fields: Any) -> None:
        """Create or edit a cluster over the REST API, as administrator `root`."""
        document = {"hostname": f"{name}.example.org", **fields}
        answer = self.call("PUT", f"/clusters/{name}", document, user="root")
        assert answer.status_code in {200, 201}, answer.text

    @contextlib.contextmanager
    def started(self, **settings: str) -> Iterator[RegistryProcess]:
        """Serve on a free port until the end of the block; the process may die before."""
        printed = self._output.stat().st_size if self._output.exists() else 0
        argv = [sys.executable, "-m", "api_srv", "serve", "--port", "0"]
        environment = {**self._environment, **settings}
        with running(argv, self._output, environment, signal.SIGKILL) as self.process:  # it must bear that anyway
            self.url = poll(lambda: self._announced(printed), "the registry says where it is")
            yield self

    def relay_started(self, output: Path) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
        """Run `python -m api_srv relay` beside it."""
        return running([sys.executable, "-m", "api_srv", "relay"], output, self._environment)

    def _announced(self, skip: int) -> str:
        assert self.process is not None
        printed = self._output.read_bytes()[skip:].decode()
        assert self.process.poll() is None, printed
        found = re.search(r"registry at (\S+)\n.*\n.*mail:.*\n", printed)
        return found.group(1) if found else ""

    def kill(self) -> None:
        """End it and its workers at once, as the kernel does when memory is short."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def output(self) -> str:
        """Return everything it printed so far."""
        return self._output.read_text()

    def call(self, method: str, path: str, body: Any = None, *, user: str = "ann", **more: Any) -> requests.Response:
        """Ask the REST API, with the token of `user` ("" for none)."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"} if user else {}
        headers |= more.pop("headers", {})
        more |= {"json": body} if body is not None else {}
        return requests.request(method, self.url + path, headers=headers, timeout=_TIMEOUT_S, **more)

    def create_job(self, job_uuid: str = "", *, user: str = "ann", **user_input: Any) -> str:
        """Create a job on cluster `demo`; return its UUID."""
        job_uuid = job_uuid or str(uuid.uuid4())
        body = {"user_input": user_input, "destination_cluster": "demo"}
        answer = self.call("POST", f"/jobs/{job_uuid}", body, user=user)
        assert answer.status_code in {200, 201}, answer.text
        return job_uuid

    def job(self, job_uuid: str) -> dict[str, Any]:
        """Return all values of a job."""
        answer = self.call("GET", f"/jobs/{job_uuid}")
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def report(self, *entries: Mapping[str, Any], user: str = "ann", **batch: Any) -> requests.Response:
        """Report entries from cluster `demo`."""
        body = {"schema": 1, "cluster": "demo", "epoch": None, "reports": list(entries), "cluster_status": None}
        return self.call("POST", "/reports", {**body, **batch}, user=user)

    def mails(self) -> list[EmailMessage]:
        """Return the mails in the folder, in the order of their names."""
        files = sorted((self.folder / "mail").glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    def wait_for_mails(self, number: int) -> list[EmailMessage]:
        """Return the mails once there are so many and none is due."""

        def settled() -> bool:
            due = self.call("GET", "/health", user="").json()["mail"]["due"]
            return due == 0 and len(self.mails()) >= number

        poll(settled, f"{number} mails were written")
        return self.mails()


def entry(job_uuid: str, seq: int, kind: str, **body: Any) -> dict[str, Any]:
    """Return a journal entry."""
    return {"schema": 1, "job_uuid": job_uuid, "seq": seq, "at": AT, "kind": kind, "body": body}


def state(job_uuid: str, seq: int, word: str, **body: Any) -> dict[str, Any]:
    """Return a journal entry of a change of state."""
    return entry(job_uuid, seq, "state", **{"state": word, "reason": "", "detail": "", **body})
