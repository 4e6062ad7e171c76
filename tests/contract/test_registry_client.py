"""The client's side of the REST API, against a real registry: what is asked, and how refusals are told."""

from __future__ import annotations

import http.server
import threading
import uuid
from typing import TYPE_CHECKING

import pytest

from project.adapters.registry import HttpRegistry
from project.core.errors import RegistryError, RegistryUnavailable
from project.core.messages import report_batch
from tests.contract import processes
from tests.contract.registry_process import entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.registry_process import RegistryProcess


@pytest.fixture
def client(registry: RegistryProcess) -> HttpRegistry:
    """The registry as `ann` sees it."""
    return HttpRegistry(registry.url, registry.tokens["ann"])


def test_a_jobs_life_over_the_api(client: HttpRegistry) -> None:
    """Clusters, a job created and created again, its fields, reports under one's own token, its states."""
    client.look_up_clusters()
    assert "demo" in [cluster["name"] for cluster in client.clusters()]
    job_uuid = str(uuid.uuid4())
    for _ in range(2):
        client.create_job(job_uuid, {"user_input": {"x": 1}, "destination_cluster": "demo"})
    assert client.states(job_uuid) == ["NOT_SUBMITTED"]
    client.update_job(job_uuid, {"working_directory": "/home/ann/x"})
    rows = [{"task": "", "State": "COMPLETED"}]
    client.relay(report_batch("demo", None, [entry(job_uuid, 1, "tasks", slurm_job_id="7", rows=rows)]))
    assert client.states(job_uuid) == ["COMPLETED"]
    assert client.job(job_uuid)["working_directory"] == "/home/ann/x"
    assert job_uuid not in [job["job_uuid"] for job in client.history()]  # it has not ended
    assert client.report_credentials("demo")["token"]


def test_one_refused_thing_is_told_once(client: HttpRegistry) -> None:
    """A mail address the registry does not write to stands once in the message, with what to write instead."""
    job = {"user_input": {"user_mail": "eve@elsewhere.example"}, "destination_cluster": "demo"}
    with pytest.raises(RegistryError) as caught:
        client.create_job(str(uuid.uuid4()), job)
    told = f"{caught.value.message}\n{caught.value.detail}"
    assert told.count("eve@elsewhere.example") == 1
    assert "user_mail" in told
    assert caught.value.remedy.startswith("Write ann@example.org")


def test_several_refused_things_are_each_told_once(client: HttpRegistry) -> None:
    """All problems of one request come together, each with its remedy."""
    job = {"user_input": {"user_mail": "eve@elsewhere.example", "passphrase": "x"}, "destination_cluster": "nowhere"}
    with pytest.raises(RegistryError, match="refused 3 things") as caught:
        client.create_job(str(uuid.uuid4()), job)
    lines = caught.value.detail.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("the registry: ") for line in lines)
    assert caught.value.detail.count("eve@elsewhere.example") == 1


@pytest.mark.parametrize(
    ("token", "job_uuid", "remedy"), [("wrong", "", "Ask its"), ("", "0" * 36, "Check the UUID")]
)
def test_refusals_have_remedies(registry: RegistryProcess, token: str, job_uuid: str, remedy: str) -> None:
    """A token nobody knows and a job that is not there."""
    client = HttpRegistry(registry.url, token or registry.tokens["ann"])
    with pytest.raises(RegistryError) as caught:
        client.job(job_uuid)
    assert caught.value.remedy.startswith(remedy)
    assert not caught.value.transient


def test_nobody_there_may_work_later() -> None:
    """A registry that does not answer is no refusal."""
    with pytest.raises(RegistryUnavailable, match="does not answer") as caught:
        HttpRegistry(f"http://127.0.0.1:{processes.free_port()}", "token").clusters()
    assert caught.value.transient


class _Impostor(http.server.BaseHTTPRequestHandler):
    """Sends callers elsewhere, or answers with a page."""

    heard: list[str | None] = []  # noqa: RUF012 - http.server makes the instances

    def do_GET(self) -> None:
        """Answer."""
        self.heard.append(self.headers.get("Authorization"))
        self.send_response(302 if self.path == "/clusters" else 200)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"<html>Welcome to the hotel</html>")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def impostor() -> Iterator[str]:
    """The address of something that is no registry."""
    _Impostor.heard.clear()
    with http.server.HTTPServer(("127.0.0.1", 0), _Impostor) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_another_service_is_told_and_a_redirection_gets_no_token(impostor: str) -> None:
    """A log-in page of a hotel is no registry, and whoever it sends us to does not even hear the question."""
    with pytest.raises(RegistryError, match="does not answer as a registry"):
        HttpRegistry(impostor, "secret").clusters()
    assert _Impostor.heard == ["Bearer secret"]
