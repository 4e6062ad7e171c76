"""Bundles: a job in one file, checked when it is opened."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from project.adapters import bundle
from project.adapters.source import build_parcel, pack_folder
from project.core.errors import UsageError
from project.core.job_source import GitSource

_JOB = {"job_uuid": "3f2b1c0e-0000-4000-8000-000000000000", "cluster": "nic5", "tar_file": "parcel.tar.gz"}
_MODULE = {
    "stage": "preprocessing",
    "number": 1,
    "module": "prepare.sh",
    "execution": "sh prepare.sh",
    "when": "success",
}


def _sent(**more: Any) -> dict[str, Any]:
    user_input = {"username": "x", "execution": ["cat a.txt"], "job": "src"}
    return {"user_input": user_input, "modules": [_MODULE], "source": None, **more}


def _fetched(folder: Path, *, single: bool = False) -> Path:
    """A folder as `export` fetches it."""
    here = folder / "here"
    if not here.exists():
        (here / "src" / "deep").mkdir(parents=True)
        (here / "src" / "a.txt").write_text("a")
        (here / "src" / "deep" / "b.sh").write_text("b")
        (here / "src" / "link").symlink_to("a.txt")
        (here / "prepare.sh").write_text("cat")
    there = folder / f"fetched-{len(list(folder.iterdir()))}"
    there.mkdir()
    directory = None if single else here / "src"
    build_parcel(there / "parcel.tar.gz", spec=_sent(), modules=[here / "prepare.sh"], directory=directory, others={})
    (there / "job.sbatch").write_text("#!/bin/bash\n")
    if single:
        (there / "work").mkdir()
        (there / "work" / "run.sh").write_text("true")
    return there


def _written(folder: Path, name: str = "job.tar.gz", **how: Any) -> Path:
    there = _fetched(folder, single=how.get("single", False))
    job = {**_JOB, "tar_file": None} if how.get("single") else _JOB
    bundle.assemble(there, job, _sent(**{key: value for key, value in how.items() if key != "single"}))
    bundle.write(there, folder / name)
    return folder / name


def test_a_job_comes_out_as_it_went_in(tmp_path: Path) -> None:
    """What it asks for, its modules, its directory with links, and the script to read."""
    path = _written(tmp_path)
    assert bundle.is_bundle(path)
    bundle.open_bundle(path, tmp_path / "open")
    job = bundle.read(tmp_path / "open")
    assert (job.job_uuid, job.user_input) == (_JOB["job_uuid"], _sent()["user_input"])
    assert [(step.module, step.execution) for step in job.steps] == [("prepare.sh", "sh prepare.sh")]
    assert job.module_files["prepare.sh"].read_text() == "cat"
    assert job.job_path == tmp_path / "open" / "work"
    assert (job.job_path / "deep" / "b.sh").read_text() == "b"
    assert (job.job_path / "link").readlink() == Path("a.txt")
    assert (tmp_path / "open" / "job.sbatch").exists()


def test_a_campaign_keeps_its_tasks_and_their_data(tmp_path: Path) -> None:
    """Of its first parcel and of what it was extended by; beside a repository the tasks bring the data."""
    tasks = [{"index": "1", "file": "a.txt"}, {"index": "2", "file": "later.txt"}]
    source = {"url": "https://example.org/r.git", "ref": "main", "commit": "c0ffee"}
    for name, sent in (("plain", _sent()), ("git", _sent(source=source))):
        there = _fetched(tmp_path)
        (tmp_path / "later.txt").write_text("later")
        others: dict[str, Path | bytes] = {
            "tasks": b"table", "parts/x/spec.json": b"{}", "work/later.txt": tmp_path / "later.txt",
        }  # fmt: skip
        (there / "parcels").mkdir()
        build_parcel(there / "parcels" / "x.tar.gz", spec=_sent(), modules=[], directory=None, others=others)
        bundle.assemble(there, {**_JOB, "tar_file": None}, sent, tasks)
        bundle.write(there, tmp_path / f"{name}.tar.gz")
        bundle.open_bundle(tmp_path / f"{name}.tar.gz", tmp_path / name)
        assert {path.name for path in (tmp_path / name).iterdir()} == {"bundle.json", "job.sbatch", "modules", "work"}
    plain, git = bundle.read(tmp_path / "plain"), bundle.read(tmp_path / "git")
    assert [dict(task.values) for task in plain.tasks] == [dict(task.values) for task in git.tasks] == tasks
    assert (plain.job_path, git.job_path) == (tmp_path / "plain" / "work", None)
    assert git.tasks[0].files["later.txt"].read_text() == "later"


def test_the_same_job_gives_the_same_bytes(tmp_path: Path) -> None:
    """Whenever and wherever it is written."""
    first, second = _written(tmp_path, "first"), _written(tmp_path, "second")
    assert first.read_bytes() == second.read_bytes()


def test_a_single_file_and_a_repository(tmp_path: Path) -> None:
    """The one is the file itself, the other the commit that ran."""
    bundle.open_bundle(_written(tmp_path, single=True), tmp_path / "single")
    assert bundle.read(tmp_path / "single").job_path == tmp_path / "single" / "work" / "run.sh"
    source = {"url": "https://example.org/r.git", "ref": "main", "commit": "c0ffee"}
    bundle.open_bundle(_written(tmp_path, "git", source=source), tmp_path / "git-open")
    assert bundle.read(tmp_path / "git-open").repository == GitSource("https://example.org/r.git", "c0ffee")


@pytest.mark.parametrize("url", ["ssh://-oProxyCommand=x/r", "https://a:b@example.org/r", "/etc"])
def test_a_bundle_leads_git_nowhere_a_job_file_could_not(tmp_path: Path, url: str) -> None:
    """Whoever wrote the bundle chose its repository's address."""
    source = {"url": url, "ref": "", "commit": "c0ffee"}
    bundle.open_bundle(_written(tmp_path, "git", source=source), tmp_path / "open")
    with pytest.raises(UsageError, match="the bundle's repository"):
        bundle.read(tmp_path / "open")


def test_what_was_changed_is_refused(tmp_path: Path) -> None:
    """A file that is not what the manifest says, one more, one less."""
    for number, change in enumerate(("edit", "add", "remove")):
        folder = tmp_path / str(number)
        bundle.open_bundle(_written(tmp_path, f"{number}.tar.gz"), folder)
        places = {"edit": "work/a.txt", "add": "work/new", "remove": "job.sbatch"}
        place = folder / places[change]
        place.unlink() if change == "remove" else place.write_text("other")
        pack_folder(tmp_path / "changed", folder)
        with pytest.raises(UsageError, match="does not hold what its manifest says"):
            bundle.open_bundle(tmp_path / "changed", tmp_path / f"open-{number}")


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    """Another archive, half of one, one that leads out of its folder; a job file is none to begin with."""
    (tmp_path / "job.yml").write_text("execution: true\n")
    assert not bundle.is_bundle(tmp_path / "job.yml")
    assert not bundle.is_bundle(tmp_path / "nowhere")
    half = tmp_path / "half"
    half.write_bytes(_written(tmp_path).read_bytes()[:100])
    other = tmp_path / "other.tar.gz"
    with tarfile.open(other, "w:gz") as archive:
        archive.add(tmp_path / "job.yml", "../job.yml")
    empty = tmp_path / "empty.tar.gz"
    with tarfile.open(empty, "w:gz") as archive:
        archive.add(tmp_path / "job.yml", "bundle.json")
    for number, path in enumerate((half, other, empty)):
        with pytest.raises(UsageError, match="is no bundle"):
            bundle.open_bundle(path, tmp_path / f"refused-{number}")
    assert not (tmp_path.parent / "job.yml").exists()


def test_the_manifest_names_no_secret_and_every_file(tmp_path: Path) -> None:
    """Each with its hash."""
    bundle.open_bundle(_written(tmp_path), tmp_path / "open")
    manifest = json.loads((tmp_path / "open" / "bundle.json").read_text())
    listed = {
        os.path.relpath(path, tmp_path / "open") for path in (tmp_path / "open").rglob("*") if not path.is_dir()
    }
    assert set(manifest["files"]) == listed - {"bundle.json"}
