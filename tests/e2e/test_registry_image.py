"""The registry's image and compose.yaml: built, started, used and started again, with each store that can be had."""

from __future__ import annotations

import json
import os
import shutil
import socket
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import requests

from demo.docker.engine import EngineError
from demo.docker.images import ROOT, build_registry, provide_base
from demo.docker.site import DockerSite
from tests.e2e.far_side import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.docker.engine import Engine
    from demo.grid import Grid

pytestmark = pytest.mark.needs("several hosts")
_MONGO = "mongo:8.0"
_SECRETS = ROOT / "secrets"
_START_LIMIT_S = 120.0


@dataclass(frozen=True)
class _Compose:
    """compose.yaml as an administrator runs it, under a name and at a port of its own.

    Attributes:
        engine: runs it.
        project: its name.
        port: of the registry on this machine.
        service: the registry's: `sqlite`, or `registry` with MongoDB.
    """

    engine: Engine
    project: str
    port: int
    service: str

    @property
    def url(self) -> str:
        """Where the registry answers."""
        return f"http://127.0.0.1:{self.port}"

    def __call__(self, *arguments: str) -> str:
        """Run compose; return what it prints."""
        files = ["--project-name", self.project, "--file", str(ROOT / "compose.yaml")]
        variables = {"REGISTRY_PORT": str(self.port), "GRIDFERRY_API_WORKERS": "2"}
        return self.engine.checked([*self.engine.compose, *files, *arguments], limit_s=300, **variables)

    def until_healthy(self) -> dict[str, object]:
        """Return what the registry says of itself once it answers."""
        return dict(wait_until(self._health, _START_LIMIT_S, what="the registry"))

    def _health(self) -> dict[str, object] | None:
        try:
            answer = requests.get(f"{self.url}/health", timeout=5)
        except (requests.ConnectionError, requests.Timeout):  # it starts
            return None
        return dict(answer.json()) if answer.ok else None


@pytest.fixture
def engine(grid: Grid) -> Engine:
    """The engine of the clusters, with the registry's image of this very tree."""
    assert isinstance(grid.site, DockerSite)
    build_registry(grid.site.engine)
    return grid.site.engine


@pytest.fixture(params=["sqlite", "registry"])
def compose(request: pytest.FixtureRequest, engine: Engine) -> Iterator[_Compose]:
    """compose.yaml with one of its two stores; nothing of it stays behind."""
    if request.param == "registry":
        _has_mongo(engine)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    compose = _Compose(engine, f"gf-{uuid.uuid4().hex[:8]}", port, request.param)
    if request.param == "registry":
        _write_secrets()
    try:
        compose("up", "--detach", compose.service)
        yield compose
    finally:
        compose("down", "--volumes", "--timeout=5")
        if request.param == "registry":
            shutil.rmtree(_SECRETS)


def _has_mongo(engine: Engine) -> None:
    if _SECRETS.exists():
        pytest.skip("secrets/ holds an administrator's own: the compose file with MongoDB is not started beside it")
    try:
        provide_base(engine, _MONGO)
    except EngineError:
        pytest.skip(f"{_MONGO} cannot be had here: compose.yaml was tested with SQLite alone")


def _write_secrets() -> None:
    """Write what docs/registry.md says."""
    secrets = {"mongo_password": "x1", "store_url": "mongodb://gridferry:x1@mongo/gridferry?authSource=admin"}
    _SECRETS.mkdir(mode=0o700)
    for name, value in {**secrets, "smtp_password": ""}.items():
        (_SECRETS / name).write_text(value)
        (_SECRETS / name).chmod(0o644)


def test_a_registry_of_compose_keeps_what_it_was_told(compose: _Compose) -> None:
    """It answers, makes an account, knows its token and its clusters after a restart, and runs without any right."""
    assert compose.until_healthy()["store"] == ("sqlite" if compose.service == "sqlite" else "mongodb")
    add = ("user", "add", "ann", "--mail", "ann@example.org", "--admin")
    printed = compose("exec", "-T", compose.service, "python", "-m", "api_srv", *add)
    headers = {"Authorization": f"Bearer {printed.split()[-1]}"}
    cluster = {"schema": 1, "name": "lemaitre3", "hostname": "lemaitre3.example.org", "preferred_jobs": ["mpi"]}
    answer = requests.put(f"{compose.url}/clusters/lemaitre3", headers=headers, json=cluster, timeout=10)
    assert answer.status_code == 201, answer.text
    compose("restart", compose.service)
    compose.until_healthy()
    kept = requests.get(f"{compose.url}/clusters", headers=headers, timeout=10).json()
    assert [found["name"] for found in kept] == ["lemaitre3"]
    container = compose("ps", "-q", compose.service)
    inspected = json.loads(compose.engine.docker("inspect", container))[0]
    assert (inspected["Config"]["User"], inspected["HostConfig"]["ReadonlyRootfs"]) == ("registry", True)
    assert inspected["HostConfig"]["CapDrop"] == ["ALL"]


def test_the_image_holds_nothing_but_the_registry(engine: Engine) -> None:
    """Of the client, the tests and this machine nothing is in the image; its own check says that it is well."""
    listed = engine.docker("run", "--rm", "--entrypoint=find", "gridferry-registry", "/app", "-maxdepth", "2")
    found = {os.path.relpath(path, "/app") for path in listed.split() if "__pycache__" not in path}
    assert {"api_srv", "project/core"} <= found
    assert {path for path in found if path.startswith("project/")} == {"project/core", "project/__init__.py"}
    assert not {path.split("/")[0] for path in found} - {".", "api_srv", "project", "constraints.txt"}
