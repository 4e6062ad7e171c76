"""Packs what goes to the cluster: the parcel (spec, modules, a directory job) and, beside it, a file job."""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from project.adapters.job_tree import tree
from project.adapters.private_file import private_opener
from project.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


_WORK = "work"
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
        packed = {f"{_WORK}/{name}": path for path, name in tree(directory)}
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
        for path, name in tree(folder):
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
    member.mtime = int(member.mtime)  # a fraction would need a header of its own for each file
    if member.issym():
        member.linkname = os.path.relpath(_end_of(path), path.parent)
    if not (member.isfile() or member.islnk()):
        archive.addfile(member)
        return
    with path.open("rb") as stream:
        before = os.fstat(stream.fileno())
        member.type, member.linkname, member.size = tarfile.REGTYPE, "", before.st_size
        try:
            archive.addfile(member, stream)
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        after = os.fstat(stream.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise UsageError(f"{path} changed while it was packed", remedy="Submit again once nothing writes to it")


def _end_of(link: Path) -> str:
    """Return where a link leads in the end; of one in a loop, where it says it leads."""
    try:
        return os.path.realpath(link, strict=True)
    except OSError as error:
        return str(link.parent / link.readlink()) if error.errno == errno.ELOOP else os.path.realpath(link)


def locate_job(text: str | None, folder: Path) -> Path | None:
    """Return the file or directory that `job` names, relative to its job file's folder; None if there is no job.

    Raises:
        UsageError: there is no such thing, or it is a pipe or a device.
    """
    if text is None:
        return None
    path = folder / Path(text).expanduser()
    if not (path.is_file() or path.is_dir()):
        problem = "is neither a file nor a directory" if path.exists() else "does not exist"
        raise UsageError(f"`job` names {path}, which {problem}", remedy="Correct its path; it starts at the job file")
    return path


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
