"""Databases, registries and mail servers to test against: real processes on free ports."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api_srv.dao.documents import open_documents
from tests.contract import processes
from tests.contract.registry_process import RegistryProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from api_srv.dao.ports import Documents

_SERVER = os.environ.get("MONGO_URL", "")
_KINDS = ["sqlite", "mongodb-wire", *(["mongodb"] if _SERVER else [])]


@pytest.fixture(scope="session")
def wire_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that speaks MongoDB's wire protocol: exercises pymongo's sockets, not MongoDB's semantics."""
    program = processes.find_program("nx-27017")
    if program is None:
        pytest.skip("nx-27017 is not installed (pip install -e '.[dev]'): pymongo not driven over a socket")
    folder, port = tmp_path_factory.mktemp("wire"), processes.free_port()
    files = ["--log-file", str(folder / "log"), "--pid-file", str(folder / "pid")]
    argv = [program, "--data-dir", str(folder / "data"), "--port", str(port), *files]
    with processes.running(argv, folder / "output") as process:
        processes.wait_for_port(port, process)
        yield f"mongodb://127.0.0.1:{port}"


@pytest.fixture(params=_KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite3'}"
    server = _SERVER if request.param == "mongodb" else request.getfixturevalue("wire_server")
    return f"{server.rstrip('/')}/test_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def open_store(store_url: str) -> Iterator[Callable[[], Documents]]:
    """Opens the database once more, as another process would; all are closed at the end."""
    opened: list[Documents] = []

    def open_one() -> Documents:
        opened.append(open_documents(store_url, Path("/")))
        return opened[-1]

    yield open_one
    for documents in opened:
        documents.close()


@pytest.fixture
def documents(open_store: Callable[[], Documents]) -> Documents:
    """An empty database."""
    return open_store()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryProcess]:
    """A registry for tests that leave it alive: accounts `ann`, `bob`, `root` (administrator), cluster `demo`."""
    process = RegistryProcess(tmp_path_factory.mktemp("registry"))
    process.furnish()
    process.add_user("bob")
    process.add_user("root", admin=True)
    with process.started():
        yield process
        assert "Traceback" not in process.output()


@pytest.fixture
def own_registry(tmp_path: Path) -> RegistryProcess:
    """A registry for one test, with account `ann` and cluster `demo`, not started yet."""
    process = RegistryProcess(tmp_path / "registry")
    process.furnish()
    return process
