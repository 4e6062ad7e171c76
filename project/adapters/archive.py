"""Builds what is uploaded: zipapps of the far side's folders and what they need of core, always the same."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from project.adapters.lean_source import lean
from project.adapters.private_file import make_private_folder
from project.adapters.records import write_private
from project.wrapper.launcher import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROJECT = Path(__file__).resolve().parent.parent
#: What decides how a program looks, besides its sources.
_BUILT_BY = (Path(__file__), Path(__file__).with_name("lean_source.py"))
_CORE = "core"
_LAUNCHER = "project/wrapper/launcher.py"
#: Empty there: what `project` offers here is the client's.
_PACKAGE = "project/__init__.py"
#: The earliest time a zip can hold: with it, unpacking and building again gives the same bytes.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)


class Program(NamedTuple):
    """What is shipped together.

    Attributes:
        name: of the package below `project` that holds the commands; its launcher knows it by the file's name.
        folders: its own below `project`, shipped whole; of `core` what they import.
    """

    name: str
    folders: tuple[str, ...]


WRAPPER = Program("wrapper", ("wrapper",))
TOOLBOX = Program("toolbox", ("wrapper", "toolbox"))


@dataclass(frozen=True)
class Archive:
    """A program as it is uploaded, built when it is first asked for.

    Args:
        cache: folder, made private if missing, that keeps what was built last: building takes 0.2 s, and the same
            sources give the same program.
        program: which one.
    """

    cache: Path
    program: Program

    @cached_property
    def content(self) -> bytes:
        """The zipapp."""
        sources = _sources(*self.program.folders, _CORE)
        built_from = _sha12(repr([[path.read_bytes() for path in _BUILT_BY], sources]).encode())
        kept = self.cache / f"{self.program.name}-of-{built_from}.pyz"
        with contextlib.suppress(FileNotFoundError):
            return kept.read_bytes()
        content = _zipped(_shipped(sources))
        make_private_folder(self.cache)
        for outdated in self.cache.glob(f"{self.program.name}-of-*.pyz"):
            outdated.unlink(missing_ok=True)
        write_private(kept, content)
        return content

    @cached_property
    def file_name(self) -> str:
        """Its name there.

        The content is part of it: it is never overwritten in place, since a running program reads its modules there.
        """
        return f"{self.program.name}-{_sha12(self.content)}.pyz"


def _sha12(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _sources(*folders: str) -> dict[str, bytes]:
    """Return all files of these folders, by their names in the archive."""
    paths = sorted(path for folder in folders for path in (_PROJECT / folder).rglob("*.py"))
    return {f"project/{path.relative_to(_PROJECT).as_posix()}": path.read_bytes() for path in paths}


def _shipped(sources: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out what nothing of the far side imports: parts of core are for the client or the registry alone."""
    shipped: dict[str, bytes] = {}
    todo = [name for name in sources if not name.startswith(f"project/{_CORE}/")]
    while todo:
        name = todo.pop()
        if name in sources and name not in shipped:
            shipped[name] = sources[name]
            todo += _imported(sources[name])
    return dict(sorted(shipped.items()))


def _imported(source: bytes) -> Iterator[str]:
    """Yield every file that an import may mean: the module, its packages, and modules it is asked for by name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("project."):
            path = PurePosixPath(*node.module.split("."))
            yield f"{path}.py"
            yield from (f"{package}/__init__.py" for package in (path, *path.parents))
            yield from (f"{path}/{alias.name}.py" for alias in node.names)


def _zipped(sources: dict[str, bytes]) -> bytes:
    """Return the zipapp: its launcher, and all sources in one member, since compressed together they are smaller."""
    import zipfile  # noqa: PLC0415 - seldom needed

    bare = {name: lean(source).decode() for name, source in {_PACKAGE: b"", **sources}.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in (("__main__.py", bare[_LAUNCHER]), (SOURCES, json.dumps(bare, ensure_ascii=False))):
            archive.writestr(zipfile.ZipInfo(name, _TIMESTAMP), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
