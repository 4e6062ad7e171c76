"""Import directions, Python floor, sizes: what the architecture promises of every file."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.processes import find_program

_ROOT = Path(__file__).resolve().parents[2]
_MOST_LINES = 350
_SOURCES = sorted(
    path
    for folder in ("project", "api_srv", "demo", "bench", "tools", "modules", "tests")
    for path in (_ROOT / folder).rglob("*.py")
)


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a development tool at the top of the repository."""
    found = find_program(program)
    if found is None:
        pytest.skip(f"{program} is not installed (pip install -e '.[dev]')")
    return subprocess.run([found, *arguments], cwd=_ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_imports_run_one_way() -> None:
    """Every contract of pyproject.toml is kept."""
    done = _run("lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout


def test_what_is_shipped_runs_on_python_3_6() -> None:
    """Core and wrapper use nothing that is newer."""
    done = _run("vermin", "--no-tips", "-t=3.6-", "--violations", "project/core", "project/wrapper")
    assert done.returncode == 0, done.stdout


def _imported(path: Path) -> list[str]:
    """The modules a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize("folder", ["core", "wrapper"])
def test_what_is_shipped_needs_the_standard_library_only(folder: str) -> None:
    """Nothing is installed on a cluster, and what is shipped imports nothing else of ours."""
    for path in (_ROOT / "project" / folder).rglob("*.py"):
        for module in _imported(path):
            own = module.startswith(("project.core", "project.wrapper"))
            assert own or module.split(".")[0] in sys.stdlib_module_names, f"{path}: {module}"


def test_no_file_is_long() -> None:
    """What needs more lines is two things; the usual file is short."""
    lengths = {path: len(path.read_text().splitlines()) for path in _SOURCES}
    assert {path.name: length for path, length in lengths.items() if length > _MOST_LINES} == {}
    ours = [length for path, length in lengths.items() if path.parts[len(_ROOT.parts)] in ("project", "api_srv")]
    assert statistics.median(ours) < 100


def test_only_the_settings_read_the_environment() -> None:
    """Of the client: flags over environment over file over defaults, in one place."""
    readers = {
        str(path.relative_to(_ROOT / "project"))
        for path in (_ROOT / "project").rglob("*.py")
        if "wrapper" not in path.parts and "sandbox" not in path.parts and "GRIDFERRY_" in path.read_text()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "environ"
    }
    assert readers <= {"config.py", "crash.py"}


def test_only_the_terminal_prints() -> None:
    """Of the client: `say`, the views and `tell` show what strangers say without harm; nobody goes round them."""
    prints = {
        str(path.relative_to(_ROOT / "project"))
        for path in (_ROOT / "project").rglob("*.py")
        if "wrapper" not in path.parts and "sandbox" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "click.echo", "click.secho", "echo")
    }
    assert prints == {"adapters/terminal.py", "cli.py", "commands/main.py", "__main__.py"}
