"""What is released: a wheel and a source distribution that install into a clean environment and work there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

_ROOT = Path(__file__).resolve().parents[2]
#: Builds and installs fetch packages, perhaps over a slow line.
_LIMIT_S = 600
_PAGE = """
from pathlib import Path
from api_srv import create_app
from api_srv.config import load
data = Path("data").resolve()
data.mkdir(exist_ok=True)
visitor = create_app(load({"GRIDFERRY_API_DATA_DIR": str(data)})).test_client()
page, style = visitor.get("/", headers={"Accept": "text/html"}), visitor.get("/static/style.css")
print(page.status_code, "<html" in page.text, style.status_code)
"""


class Installed(NamedTuple):
    """A clean environment, and a folder that is not the repository.

    Attributes:
        programs: where its programs are.
        folder: to run them in.
    """

    programs: Path
    folder: Path

    def run(self, *argv: str) -> str:
        """Run a program of the environment; return what it prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GRIDFERRY"))}
        return _run(str(self.programs / argv[0]), *argv[1:], folder=self.folder, environment=kept)


def _run(*argv: str, folder: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=_LIMIT_S, check=False
    )
    assert done.returncode == 0, f"{argv}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The source distribution, and the wheel that is built from it alone, of what Git knows."""
    folder = tmp_path_factory.mktemp("build")
    source = folder / "source"
    for name in _run("git", "ls-files", "-z", folder=_ROOT).split("\0"):
        if name and (_ROOT / name).is_file() and not name.startswith("tests/"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((_ROOT / name).read_bytes())
    _run(sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(source), folder=folder)
    files = {path.suffix: path for path in (folder / "dist").iterdir()}
    return {"wheel": files[".whl"], "sdist": files[".gz"]}


@pytest.fixture(scope="module")
def environment(built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A new virtual environment with the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("clean")
    _run(sys.executable, "-m", "venv", str(folder / "venv"), folder=folder)
    made = Installed(folder / "venv" / "bin", folder)
    made.run("python", "-m", "pip", "install", "--quiet", "-c", str(_ROOT / "constraints.txt"), str(built["wheel"]))
    return made


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def installed(request: pytest.FixtureRequest, built: dict[str, Path], environment: Installed) -> Installed:
    """The environment with Gridferry from the wheel, then from the source distribution."""
    argv = ["python", "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", str(built[request.param])]
    environment.run(*argv)
    return environment


def test_it_gives_both_programs_and_the_python_interface(installed: Installed) -> None:
    """`gridferry`, `gridferry-api` and `from project import Client`, away from the repository."""
    assert "Submit one job file" in installed.run("gridferry", "--help")
    assert re.fullmatch(r"gridferry [0-9.]+\n", installed.run("gridferry", "--version"))
    assert "Usage: gridferry-api " in installed.run("gridferry-api", "--help")
    where = installed.run("python", "-c", "import project; print(project.Client.__module__, project.__file__)")
    assert where.startswith("project.client ")
    assert str(installed.folder) in where


def test_a_job_file_with_a_shipped_module_is_read(installed: Installed) -> None:
    """What goes to clusters can be built, and Gridferry's own modules are found where they were installed."""
    (installed.folder / "modules.yml").write_text(
        "staging:\n  1:\n    module: minimal.sh\n    execution: sh minimal.sh\n"
    )
    (installed.folder / "job.yml").write_text(
        "username: ada\nuser_mail: ada@example.org\ndestination_cluster: x\nexecution: echo {n}\n"
        "for_each: {matrix: {n: [1, 2]}}\nresources: {duration: 10m}\n"
    )
    script = installed.run("gridferry", "-u", "job.yml", "-m", "modules.yml", "--dry-run")
    assert 'echo "${TASK_N}"' in script
    archive = "from pathlib import Path; from project.adapters.archive import TOOLBOX, Archive"
    size = installed.run("python", "-c", f"{archive}; print(len(Archive(Path('cache'), TOOLBOX).content))")
    assert int(size) > 10_000


def test_the_registrys_page_is_whole(installed: Installed) -> None:
    """Its templates and its style came along."""
    assert installed.run("python", "-c", _PAGE).split() == ["200", "True", "200"]
