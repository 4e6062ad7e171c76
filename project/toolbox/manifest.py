"""Lists what a job left behind: every file to bring back, with size and SHA-256, and what is missing."""

import hashlib
import os
import sys
from typing import Dict, Iterable, List, Tuple

from project.core.layout import JobPaths
from project.core.messages import SCHEMA, Document
from project.toolbox.outputs import files_of

_CHUNK_BYTES = 1024 * 1024
_NOTHING = hashlib.sha256().hexdigest()
#: From here on a hash takes longer than it takes to begin with the transfer.
LARGE_BYTES = 64 * 1024 * 1024
#: Beside the outputs: what Slurm and our stages wrote, and the job script.
ALWAYS = ("slurm-*.out", "slurm-*.err", "requirements.log", "compilation.log", "job.sbatch")


def manifest(paths: JobPaths, outputs: Iterable[str]) -> Document:
    """Return the manifest of a job; file names may hold lone surrogates where they are not UTF-8."""
    found: Dict[str, str] = {}
    missing: List[str] = []
    for pattern in ALWAYS:
        found.update(files_of(paths.directory, pattern))
    for pattern in outputs:
        matches = list(files_of(paths.work, pattern))
        found.update(matches)
        if not matches:
            missing.append(pattern)
    entries = [describe(name, path) for name, path in sorted(found.items())]
    return {"schema": SCHEMA, "files": entries, "missing": missing}


def describe(name: str, path: str) -> Document:
    """Return what a manifest says of a file; one that cannot be read says why under `unreadable`.

    The hash of a large file is left to `hash_of`, since it takes its time: here it is "".
    """
    try:
        size, sha256, executable = _look_through(path, LARGE_BYTES)
    except OSError as error:
        nothing = {"name": name, "path": path, "size": 0, "sha256": _NOTHING, "executable": False}
        return dict(nothing, unreadable=error.strerror or str(error))
    return {"name": name, "path": path, "size": size, "sha256": sha256, "executable": executable}


def complete(entry: Document) -> Document:
    """Return what a manifest says of a file with its hash, however large it is."""
    return dict(entry, sha256=entry["sha256"] or hash_of(entry["path"]))


def hash_of(path: str) -> str:
    """Return the hash of a file, "" if it cannot be read any more."""
    try:
        return _look_through(path, sys.maxsize)[1]
    except OSError:
        return ""


def _look_through(path: str, limit_bytes: int) -> Tuple[int, str, bool]:
    """Return size and hash of a file, "" if it is larger than a limit, and whether it can be run."""
    digest = hashlib.sha256()
    size = 0
    with open(path, "rb", buffering=0) as stream:
        status = os.fstat(stream.fileno())
        executable = bool(status.st_mode & 0o100)
        if status.st_size > limit_bytes:
            return status.st_size, "", executable
        wanted = min(_CHUNK_BYTES, status.st_size + 1)  # one more, so that the end of a small file shows at once
        for chunk in iter(lambda: stream.read(wanted), b""):
            digest.update(chunk)
            size += len(chunk)
            if len(chunk) < wanted and size == status.st_size:
                break
    return size, digest.hexdigest(), executable
