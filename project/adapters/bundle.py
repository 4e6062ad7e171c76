"""A bundle: one file that holds a job, reproducibly: what it asks for, its modules, files and script, all hashed.

bundle.json             what the job asks for, its modules, the commit of its repository, and the SHA-256 of all else
job.sbatch              the script it became
modules/                the user's modules
work/                   the job's files: a directory, or one file
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from project.adapters.private_file import make_private_folder
from project.adapters.source import pack_folder, sha256_of
from project.core.errors import TransferFailed, UsageError
from project.core.job_source import GitSource, parse_git
from project.core.messages import SCHEMA
from project.core.module_steps import from_documents
from project.task import Task
from project.wrapper.parcel import unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from project.core.module_steps import ModuleStep

_MANIFEST = "bundle.json"
_LONG_AGO_S = 0
_GZIP = b"\x1f\x8b"


def is_bundle(path: Path) -> bool:
    """Whether a file is packed as bundles are; a job file is text."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_GZIP)) == _GZIP
    except OSError:
        return False


def assemble(
    folder: Path, job: Mapping[str, Any], sent: Mapping[str, Any], tasks: Sequence[Mapping[str, str]] = ()
) -> None:
    """Make a bundle's content of what was fetched of a job.

    Args:
        folder: holds parcel.tar.gz, job.sbatch and perhaps work/<file> and parcels/.
        job: as the registry has it.
        sent: what the cluster was sent.
        tasks: values of a campaign's tasks.
    """
    fetched = [path for path in folder.rglob("*") if path.is_file()]
    for parcel in (folder / "parcel.tar.gz", *sorted(folder.glob("parcels/*"))):
        unpack(str(parcel), str(folder))
        parcel.unlink()
    for name in ("spec.json", "tasks"):
        (folder / name).unlink(missing_ok=True)
    for name in ("parts", "parcels"):
        shutil.rmtree(folder / name, ignore_errors=True)
    manifest = {
        "schema": SCHEMA,
        "job_uuid": job["job_uuid"],
        "cluster": job["cluster"],
        "user_input": sent["user_input"],
        "modules": sent["modules"],
        "source": sent.get("source"),
        "single_file": bool(sent["user_input"].get("job"))
        and not (sent.get("source") or job.get("tar_file") or tasks),
        "tasks": list(tasks),
        "files": _hashes(folder),
    }
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    made_here = [path for path in folder.rglob("*") if path.is_dir() or path.is_symlink()]
    _settle_times([*fetched, folder / _MANIFEST, *made_here])


def write(folder: Path, target: Path) -> str:
    """Pack what `assemble` made; the same job gives the same bytes. Return their SHA-256."""
    pack_folder(target, folder)
    return sha256_of(target)


def open_bundle(path: Path, folder: Path) -> None:
    """Unpack a bundle into a folder and check every file.

    Raises:
        UsageError: it is no bundle, or something in it is not what its manifest says.
    """
    make_private_folder(folder)
    try:
        unpack(str(path), str(folder))
        manifest = json.loads((folder / _MANIFEST).read_text())
        changed = manifest["files"] != _hashes(folder)
    except (TransferFailed, OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no bundle", remedy="`export UUID` writes one") from error
    if changed:
        raise UsageError(f"{path} does not hold what its manifest says", remedy="Export it again")


class Bundle(NamedTuple):
    """A job as it lies in an unpacked bundle.

    Attributes:
        job_uuid: of the job it was exported from.
        user_input: what it asks for; without secrets.
        steps: modules that run on the cluster; staging ones have run, and what they changed is in `user_input`.
        module_files: where each module's file is.
        job_path: the job's directory or file, or None.
        repository: the Git repository at the commit that ran, or None.
        tasks: of a campaign.
    """

    job_uuid: str
    user_input: dict[str, Any]
    steps: list[ModuleStep]
    module_files: dict[str, Path]
    job_path: Path | None
    repository: GitSource | None
    tasks: list[Task]


def read(folder: Path) -> Bundle:
    """Return the job that an unpacked bundle holds."""
    manifest = json.loads((folder / _MANIFEST).read_text())
    steps = from_documents(manifest["modules"])
    source = manifest["source"]
    work = folder / "work"
    # Beside a repository, data is brought along by the tasks; it does not matter by which.
    data = {path.relative_to(work).as_posix(): path for path in work.rglob("*") if path.is_file()} if source else {}
    return Bundle(
        job_uuid=manifest["job_uuid"],
        user_input=manifest["user_input"],
        steps=steps,
        module_files={step.module: folder / "modules" / Path(step.module).name for step in steps},
        job_path=None if source else _job_path(folder, single=bool(manifest["single_file"])),
        repository=_repository(source) if source else None,
        tasks=[Task(values, {} if number else data) for number, values in enumerate(manifest.get("tasks", ()))],
    )


def _repository(source: dict[str, Any]) -> GitSource:
    """Return the repository at its commit; somebody else may have written the bundle, so its address is checked.

    Raises:
        UsageError: its address is one that no job file may have.
    """
    try:
        repository = parse_git(f"{source['url']}#{source['commit']}")
    except ValueError as error:
        raise UsageError(f"the bundle's repository: {error}", remedy="Ask who exported it for another") from error
    if repository is None:
        raise UsageError("the bundle's repository has no address", remedy="Ask who exported it for another")
    return repository


def _job_path(folder: Path, *, single: bool) -> Path | None:
    work = folder / "work"
    files = sorted(work.iterdir()) if work.is_dir() else []
    if not files:
        return None
    return files[0] if single else work


def _settle_times(paths: Iterable[Path]) -> None:
    """Give what has just been made here a fixed time, so that the same job gives the same bundle."""
    for path in paths:
        if os.path.lexists(path):
            os.utime(path, (_LONG_AGO_S, _LONG_AGO_S), follow_symlinks=False)


def _hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file but the manifest; of a link, where it leads."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file() and name != _MANIFEST:
            found[name] = sha256_of(path)
    return found
