"""Builds the wrapper: one zipapp of `project/core` and `project/wrapper`, the same bytes every time."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tokenize
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from project.adapters.records import write_private

_PROJECT = Path(__file__).resolve().parent.parent
_SHIPPED = ("core", "wrapper")
_LAUNCHER = "project/wrapper/launcher.py"
#: The earliest time a zip can hold: with it, unpacking and building again gives the same bytes.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
#: What stands before a token that begins a statement; a string there is a docstring.
_STATEMENT_STARTS = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)


@dataclass(frozen=True)
class Archive:
    """The wrapper as it is uploaded, built when it is first asked for.

    Args:
        cache: folder, made private if missing, that keeps what was built last: building takes 0.2 s, and the same
            sources give the same wrapper.
    """

    cache: Path

    @cached_property
    def content(self) -> bytes:
        """The zipapp."""
        sources = _sources()
        kept = self.cache / f"wrapper-of-{_sha12(repr([Path(__file__).read_bytes(), sources]).encode())}.pyz"
        with contextlib.suppress(FileNotFoundError):
            return kept.read_bytes()
        content = _zipped(sources)
        self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        for outdated in self.cache.glob("wrapper-of-*.pyz"):
            outdated.unlink(missing_ok=True)
        write_private(kept, content)
        return content

    @cached_property
    def sha12(self) -> str:
        """The first 12 hexadecimal digits of its SHA-256.

        They are part of its name there: it is never overwritten in place, since a running program reads its modules
        from it.
        """
        return _sha12(self.content)


def _sha12(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _sources() -> dict[str, bytes]:
    """Return what is shipped, by its name in the archive."""
    paths = sorted(path for folder in _SHIPPED for path in (_PROJECT / folder).rglob("*.py"))
    return {f"project/{path.relative_to(_PROJECT).as_posix()}": path.read_bytes() for path in paths}


def _zipped(sources: dict[str, bytes]) -> bytes:
    import zipfile  # noqa: PLC0415 - seldom needed

    members = {"__main__.py": sources[_LAUNCHER], "project/__init__.py": b"", **sources}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _TIMESTAMP), _lean(content), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _lean(source: bytes) -> bytes:
    """Leave out comments and docstrings, line for line, so that line numbers in a traceback stay true."""
    lines = source.decode().splitlines()
    previous = tokenize.NEWLINE
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        (row, column), (end_row, end_column) = token.start, token.end
        if token.type == tokenize.COMMENT:
            lines[row - 1] = lines[row - 1][:column].rstrip()
        elif (
            token.type == tokenize.STRING and previous in _STATEMENT_STARTS and _ends_line(lines, end_row, end_column)
        ):
            lines[row - 1 : end_row] = [f'{lines[row - 1][:column]}""', *[""] * (end_row - row)]
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            previous = token.type
    return "\n".join([*lines, ""]).encode()


def _ends_line(lines: list[str], row: int, column: int) -> bool:
    return not lines[row - 1][column:].strip()
