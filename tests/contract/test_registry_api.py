"""The description of the REST API: complete, true, and tried with very many requests by schemathesis."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import requests

from api_srv import create_app
from api_srv.config import Settings
from api_srv.openapi import OPERATIONS, description, endpoints
from tests.contract.processes import find_program
from tests.contract.registry_process import PASSWORD, RegistryProcess
from tests.fuzzing import FACTOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

#: How long the requests go on; a hundred times as long at most.
_LIMIT_S = min(35 * FACTOR, 3500)
#: What schemathesis asserts about each answer. Whether every request that fits the description is taken is left out:
#: JSON Schema cannot say that a cluster must exist, that 1.0 is no whole number, or which days a month has.
_LEFT_OUT = "positive_data_acceptance"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The application, not served."""
    app = create_app(Settings(data_dir=tmp_path))
    yield app
    app.extensions["gridferry"].documents.close()


def test_every_endpoint_is_described(app: Flask) -> None:
    """And nothing else; those who may call it are named, and what it does in a sentence."""
    known = {route.endpoint for route, _ in endpoints(app)}
    assert known == set(OPERATIONS)
    for path, methods in description(app)["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"].endswith((".", ":")), (path, method)
            named = set(re.findall(r"\{(\w+)\}", path))
            assert {each["name"] for each in operation["parameters"] if each["in"] == "path"} == named
            open_to_all = (path, method) in {("/health", "get"), ("/openapi.json", "get")}
            assert bool(operation["security"]) != open_to_all, (path, method)


def test_it_is_served_as_it_is(registry: RegistryProcess, app: Flask) -> None:
    """To anybody: it tells no more than docs/protocol.md."""
    answer = requests.get(f"{registry.url}/openapi.json", timeout=30)
    assert answer.status_code == 200
    assert answer.json() == description(app)


@pytest.mark.fuzz
def test_no_request_breaks_it(own_registry: RegistryProcess, tmp_path: Path) -> None:
    """Right ones, wrong ones and sequences of them: no server error, no answer but as described, and it goes on."""
    program = find_program("schemathesis")
    assert program is not None, "schemathesis is not installed (pip install -e '.[dev]')"
    own_registry.add_user("root", admin=True)
    with own_registry.started() as registry:
        argv = [
            *(program, "run", f"{registry.url}/openapi.json", "--no-color", "--exclude-checks", _LEFT_OUT),
            *(
                "--header",
                f"Authorization: Bearer {registry.tokens['root']}",
                "--exclude-operation-id",
                "delete_token",
            ),
            *("--exclude-operation-id", "post_token", "--max-time", str(_LIMIT_S), "--warnings", "off"),
            *("--max-examples", str(50 * FACTOR), "--suppress-health-check", "all", "--request-timeout", "30"),
            # the short run tries every edge of the description; random requests and sequences are for long runs
            *(["--phases", "examples,coverage", "--generation-deterministic"] if FACTOR == 1 else []),
        ]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=_LIMIT_S + 300)
        told = "\n".join(line[:300] for line in done.stdout.splitlines())
        print(told)  # noqa: T201 - how many there were
        assert done.returncode == 0, told
        assert registry.call("GET", "/health").status_code == 200
        _look_at_the_pages(registry)
    assert "Traceback" not in own_registry.output()


def _look_at_the_pages(registry: RegistryProcess) -> None:
    """See that whatever was stored can be shown."""
    browser = requests.Session()
    form = re.search(r'name="form_token" value="([^"]+)"', browser.get(registry.url).text)
    assert form
    fields = {"form_token": form.group(1), "name": "root", "password": PASSWORD}
    assert browser.post(f"{registry.url}/login", data=fields).status_code == 200
    for job in registry.call("GET", "/jobs?limit=500", user="root").json():
        assert browser.get(f"{registry.url}/ui/jobs/{job['job_uuid']}").status_code == 200
