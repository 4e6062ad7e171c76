"""Removing the folder of a job, and of no other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.errors import UsageError
from project.core.layout import ClusterPaths
from project.core.messages import state_body
from project.toolbox.bundle import parts_of
from project.toolbox.clean import Cleaned, clean
from project.wrapper import files
from project.wrapper.lease import Lease
from tests.unit.services.ports import UUID
from tests.unit.toolbox.test_logs import Far

if TYPE_CHECKING:
    from project.wrapper.job import Job


def _job(folder: Path, *states: str, told: bool = True) -> tuple[ClusterPaths, Job]:
    far = Far(folder)
    for state in states:
        far.job.journal.append("state", state_body(state))
    job = far.job
    if told:
        job.journal.acknowledge(len(states))
    return ClusterPaths(str(folder / "gridferry")), job


def test_a_job_that_has_ended_and_told_everything_is_removed(tmp_path: Path) -> None:
    """With its marker; a link that leads out is removed, and not what it leads to; again is no error."""
    paths, job = _job(tmp_path, "RUNNING", "COMPLETED", "DONE")
    outside = tmp_path / "precious"
    outside.mkdir()
    (outside / "file").write_text("x" * 100)
    (Path(job.paths.directory) / "link").symlink_to(outside)
    files.make_folder(paths.active)
    files.create(f"{paths.active}/{UUID}", b"")
    cleaned = clean(paths, UUID)
    assert (cleaned.kept, cleaned.freed_bytes > 0) == ("", True)
    assert not Path(job.paths.directory).exists()
    assert not Path(paths.active, UUID).exists()
    assert (outside / "file").exists()
    assert clean(paths, UUID) == Cleaned()


@pytest.mark.parametrize(
    ("states", "told", "kept"),
    [
        (("RUNNING",), True, "it is RUNNING"),
        (("RUNNING", "COMPLETED"), True, "it is COMPLETED"),
        ((), True, "it is being prepared"),
        (("RUNNING", "COMPLETED", "DONE"), False, "has not been told everything"),
    ],
)
def test_any_other_keeps_its_folder(tmp_path: Path, states: tuple[str, ...], told: bool, kept: str) -> None:
    """What runs, waits for its last modules, or has something to tell."""
    paths, job = _job(tmp_path, *states, told=told)
    assert kept in clean(paths, UUID).kept
    assert Path(job.paths.spec).exists()


def test_a_submission_that_is_under_way_keeps_its_folder(tmp_path: Path) -> None:
    """Nothing has been unpacked, and somebody holds its lease; one that nobody works on is removed."""
    paths, job = _job(tmp_path)
    Path(job.paths.spec).unlink()
    lease = Lease(job.paths.lease)
    assert lease.acquire()
    assert clean(paths, UUID).kept == "somebody is at work on it"
    lease.release()
    assert clean(paths, UUID).kept == ""


def test_a_campaigns_first_part_stays_while_others_work_in_its_folder(tmp_path: Path) -> None:
    """Though it has ended itself; once they have, too, it goes."""
    paths, job = _job(tmp_path, "RUNNING", "COMPLETED", "DONE")
    later = UUID.replace("3f2b", "4f2b")
    other = paths.job(later)
    for folder in (paths.active, other.control):
        files.make_folder(folder)
    files.replace_json(other.spec, {"campaign": {"campaign": UUID, "tasks": 1, "placeholders": []}})
    files.create(f"{paths.active}/{later}", b"")
    assert clean(paths, UUID).kept == "other parts of its campaign work in it, and have not ended"
    files.remove(f"{paths.active}/{later}")
    assert clean(paths, UUID).kept == ""
    assert not Path(job.paths.directory).exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../..", f"{UUID}/work", "*"])
def test_only_a_uuid_names_a_folder(tmp_path: Path, name: str) -> None:
    """Whatever else comes is refused, and nothing is removed."""
    paths, job = _job(tmp_path, "DONE")
    with pytest.raises(UsageError, match="is no job's UUID"):
        clean(paths, name)
    assert Path(job.paths.spec).exists()


def test_what_a_job_was_made_of(tmp_path: Path) -> None:
    """Its parcel and script, and the file that it is; what is not there is not listed."""
    _, job = _job(tmp_path)
    assert parts_of(job) == []
    Path(job.paths.parcel).write_bytes(b"parcel")
    Path(job.paths.script).write_text("script")
    Path(job.paths.work).mkdir()
    Path(job.paths.work, "run.sh").write_text("true")
    Path(job.paths.work, "made_since").write_text("x")
    job.sent["user_input"]["job"] = "somewhere/run.sh"
    assert [part["name"] for part in parts_of(job)] == ["parcel.tar.gz", "job.sbatch", "work/run.sh"]
    job.sent["source"] = {"url": "u", "commit": "c"}
    assert [part["name"] for part in parts_of(job)] == ["parcel.tar.gz", "job.sbatch"]
