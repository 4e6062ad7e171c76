"""Dockerfile and compose.yaml stay true to the code they ship and to the table of settings."""

from __future__ import annotations

import ast
import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from api_srv.config import Settings, variable

_ROOT = Path(__file__).parents[2]
_DOCKERFILE = (_ROOT / "Dockerfile").read_text()
_COMPOSE: dict[str, Any] = yaml.safe_load((_ROOT / "compose.yaml").read_text())
_PACKAGES = {"argon2": "argon2-cffi"}  # where the package is not called as its module
_FIELDS = {variable(field): field for field in dataclasses.fields(Settings)}


def _instructions(name: str) -> list[str]:
    """Return what follows each `name` in the Dockerfile, with continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", _DOCKERFILE)
    return re.findall(rf"^{name} (.*)$", joined, re.MULTILINE)


def _imported() -> set[str]:
    """Return the packages of others that the registry's code imports."""
    modules = set()
    for file in (_ROOT / "api_srv").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add(str(node.module).partition(".")[0])
    return modules - set(sys.stdlib_module_names) - {"api_srv", "project"}


def test_the_image_installs_what_the_registry_imports() -> None:
    """Each package that api_srv imports is installed, pinned; those that Flask brings along come with it."""
    (line,) = (line for line in _instructions("RUN") if line.startswith("pip install"))
    installed = set(line.removeprefix("pip install -c constraints.txt ").split())
    wanted = {_PACKAGES.get(module, module) for module in _imported()} - {"werkzeug", "jinja2"}
    assert installed == wanted
    pinned = {line.partition("==")[0].lower() for line in (_ROOT / "constraints.txt").read_text().splitlines()}
    assert installed <= pinned


def test_what_is_copied_reaches_the_engine() -> None:
    """Every source of COPY exists and is let through by .dockerignore, which lets nothing else through."""
    copied = {source.rstrip("/") for line in _instructions("COPY") for source in line.split()[:-1]}
    ignore = (_ROOT / ".dockerignore").read_text().splitlines()
    assert all((_ROOT / source).exists() for source in copied)
    assert {line[1:] for line in ignore if line.startswith("!")} == copied
    assert "*" in ignore


def test_the_image_serves_as_nobody_in_particular_on_the_default_port() -> None:
    """Not root in the end; the port exposed and asked for its health is the port of the settings."""
    assert _DOCKERFILE.index("\nUSER ") > _DOCKERFILE.rindex("\nRUN ")
    assert _instructions("USER") == ["registry"]
    assert _instructions("EXPOSE") == [str(Settings.port)]
    assert f"127.0.0.1:{Settings.port}/health" in _instructions("HEALTHCHECK")[0]


def test_any_engine_builds_it() -> None:
    """Nothing asks for BuildKit, and no address but the container's own is named."""
    assert "# syntax" not in _DOCKERFILE
    assert "--mount" not in _DOCKERFILE
    assert set(re.findall(r"https?://([\w.-]+)", _DOCKERFILE)) == {"127.0.0.1"}


def test_the_settings_named_exist() -> None:
    """Every GRIDFERRY_ variable of image and services is in the table; `…_FILE` is for secret ones alone."""
    named = re.findall(r"\b(GRIDFERRY_\w+)=", " ".join(_instructions("ENV")))
    for service in _COMPOSE["services"].values():
        named += [name for name in service.get("environment", {}) if name.startswith("GRIDFERRY_")]
    assert named
    for name in named:
        field = _FIELDS[name.removesuffix("_FILE")]
        assert field.metadata["secret"] == name.endswith("_FILE"), name


def test_services_use_what_is_declared() -> None:
    """Each secret and volume is declared and used, a `…_FILE` is a secret of its service, each can be waited for."""
    services = _COMPOSE["services"]
    assert {name for service in services.values() for name in service.get("secrets", [])} == set(_COMPOSE["secrets"])
    mounted = {volume.partition(":")[0] for service in services.values() for volume in service["volumes"]}
    assert mounted == set(_COMPOSE["volumes"])
    for service in services.values():
        files = {value for name, value in service["environment"].items() if name.endswith("_FILE")}
        assert files == {f"/run/secrets/{name}" for name in service.get("secrets", [])}
        assert all("healthcheck" in services[other] for other in service.get("depends_on", {}))
