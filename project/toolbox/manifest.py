"""Lists what a job left behind: every file to bring back, with size and SHA-256, and what is missing."""

import glob
import hashlib
import os
from typing import Dict, Iterable, Iterator, List, Tuple

from project.core.layout import JobPaths
from project.core.messages import SCHEMA, Document

_CHUNK = 1024 * 1024
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


def files_of(folder: str, pattern: str) -> Iterator[Tuple[str, str]]:
    """Yield (name to save as, absolute path) of what a name, folder or glob stands for; nothing outside `folder`."""
    literal = os.path.join(folder, pattern)
    matches = (
        [literal]
        if os.path.lexists(literal)
        else glob.glob(os.path.join(glob.escape(folder), pattern), recursive=True)
    )
    for match in sorted(match for match in matches if _inside(folder, match)):
        for path in _walk(match) if os.path.isdir(match) else [match]:
            if os.path.isfile(path) and _inside(folder, path):
                yield os.path.relpath(path, folder), path


def _walk(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            yield os.path.join(parent, name)


def _inside(folder: str, path: str) -> bool:
    root = os.path.realpath(folder)
    return os.path.commonpath([root, os.path.realpath(path)]) == root


def describe(name: str, path: str) -> Document:
    """Return what a manifest says of a file."""
    digest = hashlib.sha256()
    size = 0
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            digest.update(chunk)
            size += len(chunk)
    executable = bool(os.stat(path).st_mode & 0o100)
    return {"name": name, "path": path, "size": size, "sha256": digest.hexdigest(), "executable": executable}
