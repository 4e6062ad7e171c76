"""Lists what a job left behind: every file to bring back, with size and SHA-256, and what is missing."""

import hashlib
import os
from typing import Dict, Iterable, List, Tuple

from project.core.layout import JobPaths
from project.core.messages import SCHEMA, Document
from project.toolbox.outputs import files_of

_CHUNK_BYTES = 1024 * 1024
_NOTHING = hashlib.sha256().hexdigest()
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
    """Return what a manifest says of a file; one that cannot be read says why under `unreadable`."""
    try:
        size, sha256, executable = _look_through(path)
    except OSError as error:
        nothing = {"name": name, "path": path, "size": 0, "sha256": _NOTHING, "executable": False}
        return dict(nothing, unreadable=error.strerror or str(error))
    return {"name": name, "path": path, "size": size, "sha256": sha256, "executable": executable}


def _look_through(path: str) -> Tuple[int, str, bool]:
    """Return size and hash of a file, and whether it can be run."""
    digest = hashlib.sha256()
    size = 0
    with open(path, "rb", buffering=0) as stream:
        status = os.fstat(stream.fileno())
        wanted = min(_CHUNK_BYTES, status.st_size + 1)  # one more, so that the end of a small file shows at once
        for chunk in iter(lambda: stream.read(wanted), b""):
            digest.update(chunk)
            size += len(chunk)
            if len(chunk) < wanted and size == status.st_size:
                break
    return size, digest.hexdigest(), bool(status.st_mode & 0o100)
