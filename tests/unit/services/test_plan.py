"""What is packed for a cluster, and what is written down about it."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from project.adapters.source import build_parcel
from project.core.errors import UsageError
from project.core.job_file.validate import validate
from project.core.job_source import GitSource
from project.core.module_steps import ModuleStep
from project.services.plan import Planner
from project.services.request import SubmitRequest
from tests.unit.services.ports import CLUSTER, UUID, FakeRecords, ListeningView

if TYPE_CHECKING:
    from pathlib import Path

_SECRETS = {"private_key": "~/.ssh/secret-id", "passphrase": "correct horse"}
_COMMIT = "0123456789012345678901234567890123456789"
_URL = "https://example.org/solver.git"


class KeptRecords(FakeRecords):
    """Records whose parcels lie in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def parcel(self, job_uuid: str) -> Path:
        """Return the path of a job's parcel."""
        return self._folder / f"{job_uuid}.tar.gz"


class OneRepository:
    """A repository whose branch stands for one commit, or that cannot be read."""

    def __init__(self, commit: str = _COMMIT) -> None:
        self._commit = commit

    def resolve(self, source: GitSource) -> str:
        """Return the commit."""
        if not self._commit:
            raise UsageError(f"{source.url} cannot be read")
        return self._commit

    def pack(self, url: str, commit: str, target: Path) -> None:
        """Nothing is cloned while planning."""
        raise AssertionError(url, commit, target)


def plan(
    folder: Path, repository: OneRepository | None = None, *stages: str, job: str | None = None
) -> dict[str, Any]:
    """Plan a job with a module for each of these stages."""
    steps, files = [], {}
    for number, stage in enumerate(stages, 1):
        name = f"{stage}.sh"
        (folder / name).write_text("cat\n")
        steps.append(ModuleStep(stage, number, name, f"sh {name}"))
        files[name] = folder / name
    keys = {"username": "jdoe", "user_mail": "j@example.org", "destination_cluster": "nic5", "execution": "true"}
    user_input = {**keys, **_SECRETS, **({"job": job} if job else {})}
    spec = validate(user_input, source="job.yml")
    source = GitSource(_URL, "main") if repository else None
    request = SubmitRequest("job.yml", user_input, spec, steps, files, None, source)
    repositories = repository or OneRepository("")
    records, view = KeptRecords(folder), ListeningView()
    planner = Planner(records=records, pack=build_parcel, repositories=repositories, registry_key="here", view=view)
    return planner.plan(UUID, request, {**CLUSTER, "status": {"nodes": []}}, [], None)


def _packed(folder: Path) -> dict[str, bytes]:
    with tarfile.open(folder / f"{UUID}.tar.gz") as parcel:
        files = [member for member in parcel if member.isfile()]
        return {member.name: stream.read() for member in files if (stream := parcel.extractfile(member))}


def test_only_the_modules_that_run_there_are_shipped(tmp_path: Path) -> None:
    """Staging modules have run, and stay here."""
    plan(tmp_path, None, "staging", "preprocessing", "postprocessing")
    names = [name for name in _packed(tmp_path) if name.startswith("modules/")]
    assert sorted(names) == ["modules/postprocessing.sh", "modules/preprocessing.sh"]


def test_no_secret_leaves(tmp_path: Path) -> None:
    """Neither to the cluster nor to the registry."""
    planned = plan(tmp_path)
    sent = b"".join(_packed(tmp_path).values()).decode() + json.dumps(planned["job"])
    assert not [secret for secret in _SECRETS.values() if secret in sent]


def test_a_repository_is_pinned_before_anything_is_sent(tmp_path: Path) -> None:
    """The commit that the branch stands for now is what the cluster and the registry get."""
    planned = plan(tmp_path, OneRepository(), job=f"{_URL}#main")
    sent = json.loads(_packed(tmp_path)["spec.json"])
    assert sent["source"] == {"url": _URL, "ref": "main", "commit": _COMMIT}
    assert (planned["job"]["commit"], planned["job"]["online_job_file"]) == (_COMMIT, True)


def test_a_repository_that_cannot_be_read_ends_it(tmp_path: Path) -> None:
    """Before anything is packed."""
    with pytest.raises(UsageError, match="cannot be read"):
        plan(tmp_path, OneRepository(""), job=f"{_URL}#main")
    assert not (tmp_path / f"{UUID}.tar.gz").exists()
