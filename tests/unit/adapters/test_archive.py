"""The wrapper as it is uploaded: one small file, the same every time, that runs on a bare Python."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tokenize
import zipfile
from pathlib import Path

import pytest

from project.adapters.archive import TOOLBOX, WRAPPER, Archive
from project.core.errors import ExitCode
from project.wrapper.launcher import SOURCES

_ROOT = Path(__file__).resolve().parents[3]
_PACKAGE = "project/__init__.py"


@pytest.fixture(scope="module", params=[WRAPPER, TOOLBOX], ids=lambda program: program.name)
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Each program, built anew."""
    return Archive(tmp_path_factory.mktemp("cache"), request.param)


def members(archive: Archive) -> dict[str, str]:
    """Its files by name: the launcher, and the sources that lie together."""
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        return {"__main__.py": opened.read("__main__.py").decode(), **json.loads(opened.read(SOURCES))}


def test_it_is_the_same_every_time(archive: Archive, tmp_path: Path) -> None:
    """Built anew or taken from what was kept: the same bytes, so the same name on the cluster."""
    again = Archive(tmp_path, archive.program)
    assert again.content == archive.content == Archive(tmp_path, archive.program).content
    assert again.file_name == archive.file_name
    assert len(list(tmp_path.iterdir())) == 1


def test_the_wrapper_is_small(tmp_path: Path) -> None:
    """It is uploaded once to each cluster, over any line."""
    assert len(Archive(tmp_path, WRAPPER).content) < 60_000


def test_it_holds_its_folders_and_what_they_import(archive: Archive) -> None:
    """Every file of its own folders and all they import, wherever they do; not what only the client needs of core."""
    shipped = members(archive)
    paths = [path for folder in archive.program.folders for path in (_ROOT / "project" / folder).rglob("*.py")]
    wanted = {"__main__.py", _PACKAGE, *(str(path.relative_to(_ROOT)) for path in paths)}
    for source in shipped.values():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("project."):
                wanted |= {name for name in _files_meant(node) if (_ROOT / name).is_file()}
    assert set(shipped) == wanted
    assert "project/core/probe.py" not in shipped
    assert shipped[_PACKAGE].strip() == "", "what `project` offers here is the client's"


def _files_meant(node: ast.ImportFrom) -> set[str]:
    """Every file that one import statement loads, if it is there."""
    parts = (node.module or "").split(".")
    packages = {"/".join([*parts[:depth], "__init__.py"]) for depth in range(1, len(parts) + 1)}
    inner = {"/".join([*parts, f"{alias.name}.py"]) for alias in node.names}
    return packages | inner | {"/".join(parts) + ".py"}


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _places(source: str) -> list[tuple[str, int]]:
    """Where each statement and call of a module stands, docstrings left out."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt | ast.Call)]
    return [(type(node).__name__, node.lineno) for node in nodes if not _is_docstring(node)]


def test_line_numbers_in_tracebacks_stay_true(archive: Archive) -> None:
    """Comments and docstrings are gone, everything else stands where it stood."""
    for name, lean in members(archive).items():
        original = _ROOT / name
        if original.exists() and name != _PACKAGE:
            assert _places(lean) == _places(original.read_text()), name
            tokens = tokenize.generate_tokens(io.StringIO(lean).readline)
            assert not [token for token in tokens if token.type == tokenize.COMMENT], name


def test_it_runs_on_a_bare_python(archive: Archive, tmp_path: Path) -> None:
    """No user site, no site packages, no working directory: it says how it is used."""
    path = tmp_path / archive.file_name
    path.write_bytes(archive.content)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(path), "-h"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        timeout=30,
    )
    assert done.returncode == ExitCode.USAGE
    assert done.stderr.startswith(f"usage: {archive.program.name} ")
    assert {"run", "resume", "follow", "postprocess"} <= set(done.stderr.split()[2].split("|"))


def test_a_job_that_is_gone_is_told_by_the_far_side_itself(tmp_path: Path) -> None:
    """Asked for the outputs of a job that is not there, it answers with an error, not with a traceback."""
    (tmp_path / "gridferry" / "control").mkdir(parents=True)
    archive = Archive(tmp_path / "cache", TOOLBOX)
    path = tmp_path / "gridferry" / "control" / archive.file_name
    path.write_bytes(archive.content)
    argv = [sys.executable, "-I", "-S", str(path), "results", "3f2b1c0e-0000-4000-8000-000000000000"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == ExitCode.TRANSFER
    assert '"type": "TransferFailed"' in done.stdout
    assert done.stderr == ""
