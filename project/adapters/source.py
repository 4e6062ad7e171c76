"""Packs what goes to the cluster: the parcel (spec, modules, a directory job) and, beside it, a file job."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from project.adapters.private_file import private_opener
from project.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


_WORK = "work"
#: In a job's directory: what is not brought along, in the patterns of .gitignore.
IGNORE_FILE = ".gridferryignore"
_SPEC_MODE = 0o600


def build_parcel(
    target: Path,
    *,
    spec: Mapping[str, Any],
    modules: Iterable[Path],
    directory: Path | None,
    others: Mapping[str, Path | bytes] = MappingProxyType({}),
) -> None:
    """Write the parcel: the same content gives the same bytes.

    Args:
        target: file to write.
        spec: becomes spec.json.
        modules: files that go to `modules/`.
        directory: a job that is a directory; its content becomes `work/`.
        others: what else goes along, by name in the parcel: bytes, or a file here.

    Raises:
        UsageError: a file cannot be read, a symlink leads out of the directory, or two files want the same name.
    """
    with _archive(target) as archive:
        _add_bytes(archive, "spec.json", json.dumps(spec, sort_keys=True).encode())
        for path in sorted(modules):
            _add(archive, path.resolve(), f"modules/{path.name}")
        packed = {f"{_WORK}/{name}": path for path, name in _tree(directory)}
        for name, path in packed.items():
            _add(archive, path, name)
        for name, other in others.items():
            if isinstance(other, bytes):
                _add_bytes(archive, name, other)
            elif name not in packed:
                _add(archive, other.resolve(), name)
            elif packed[name].resolve() != other.resolve():
                remedy = "Rename one of them, or keep the job's out by its ignore file"
                raise UsageError(f"{packed[name]} and {other} would both be {name} there", remedy=remedy)


def pack_folder(target: Path, folder: Path) -> None:
    """Write a compressed archive of what is in a folder; the same content gives the same bytes.

    Raises:
        UsageError: a file cannot be read, or a symlink leads out of the folder.
    """
    with _archive(target) as archive:
        for path, name in _tree(folder):
            _add(archive, path, name)


@contextlib.contextmanager
def _archive(target: Path) -> Iterator[tarfile.TarFile]:
    """Open a private archive to write; what goes wrong with a file becomes a UsageError."""
    try:
        raw = open(target, "wb", opener=private_opener)  # noqa: SIM115 - closed in the next line's block
        with (
            raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            yield archive
    except OSError as error:
        what, why = error.filename or "the job", error.strerror or error
        raise UsageError(f"{what} cannot be packed: {why}", remedy="Check its rights") from error


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), _SPEC_MODE
    archive.addfile(member, io.BytesIO(content))


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a file, folder or link, without what tells about this machine.

    A second name of the same file becomes a file of its own; a link says where it leads from where it is.
    """
    member = archive.gettarinfo(path, name)
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    if member.issym():
        member.linkname = os.path.relpath(os.path.realpath(path), path.parent)
    if not (member.isfile() or member.islnk()):
        archive.addfile(member)
        return
    with path.open("rb") as stream:
        member.type, member.linkname, member.size = tarfile.REGTYPE, "", os.fstat(stream.fileno()).st_size
        archive.addfile(member, stream)


def _tree(directory: Path | None) -> Iterator[tuple[Path, str]]:
    """Yield every file, folder and link of a directory with its name in it, in a fixed order."""
    if directory is None:
        return
    root = directory.resolve()
    ignored = _ignored(root)
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if ignored(f"{name}/" if path.is_dir() and not path.is_symlink() else name):
            continue
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
            raise UsageError(
                f"{path} is a symlink that leads out of the job's directory",
                remedy=f"Copy what it points to into the directory, or name it in {IGNORE_FILE}",
            )
        if not (path.is_symlink() or path.is_dir() or path.is_file()):
            raise UsageError(
                f"{path} is neither a file, a folder nor a symlink", remedy=f"Remove it, or name it in {IGNORE_FILE}"
            )
        yield path, name


def _ignored(root: Path) -> Callable[[str], bool]:
    """Return whether a name in the directory is to stay here, by the patterns of its ignore file."""
    file = root / IGNORE_FILE
    if not file.is_file():
        return lambda _name: False
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - few jobs have such a file

    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return GitIgnoreSpec.from_lines(lines).match_file


def locate_job(text: str | None, folder: Path) -> Path | None:
    """Return the file or directory that `job` names, relative to its job file's folder; None if there is no job.

    Raises:
        UsageError: there is no such thing.
    """
    if text is None:
        return None
    path = folder / Path(text).expanduser()
    if not path.exists():
        raise UsageError(
            f"`job` names {path}, which does not exist", remedy="Correct its path; it starts at the job file"
        )
    return path


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
