"""This machine's record of submissions."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from project.adapters.records import Records

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Records in a folder that is not there yet."""
    return Records(tmp_path / "home" / "jobs")


def record(stage: str, created_at: str, **more: Any) -> dict[str, Any]:
    """A record of some input."""
    return {"job_uuid": str(uuid.uuid4()), "stage": stage, "created_at": created_at, "input_sha256": "same", **more}


def test_a_record_comes_back(records: Records, tmp_path: Path) -> None:
    """And is nobody else's to read; saved again, it is replaced."""
    kept = record("created", "2026", private_key="~/.ssh/id")
    records.save(kept)
    records.save({**kept, "stage": "launched"})
    assert records.load(kept["job_uuid"]) == {**kept, "stage": "launched"}
    (path,) = (tmp_path / "home" / "jobs").iterdir()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_job_from_elsewhere_has_no_record(records: Records) -> None:
    """Which is no error here."""
    assert records.load("3f2b1c0e-0000-4000-8000-000000000000") is None
    assert records.unfinished("same") is None


def test_the_newest_submission_that_can_be_gone_on_with_is_found(records: Records) -> None:
    """Of the same input, planned, and not in Slurm's queue; later ones that came to nothing do not hide it."""
    wanted = record("launched", "2026-11-20T10", job={})
    for kept in (
        record("launched", "2026-11-20T09", job={}),
        wanted,
        record("submitted", "2026-11-20T11", job={}),
        record("failed", "2026-11-20T12", job={}),
        record("created", "2026-11-20T13"),
        {**record("launched", "2026-11-20T14", job={}), "input_sha256": "other"},
    ):
        records.save(kept)
    assert records.unfinished("same") == wanted


def test_a_record_that_was_damaged_hides_no_other(records: Records, tmp_path: Path) -> None:
    """Half a file, from another program or another time."""
    wanted = record("launched", "2026", job={})
    records.save(wanted)
    (tmp_path / "home" / "jobs" / "x.json").write_text("{")
    assert records.unfinished("same") == wanted


def test_what_never_came_to_a_login_hides_no_key_that_worked(records: Records) -> None:
    """Who one is on a cluster is told by the newest submission that logged in there."""
    wanted = record("submitted", "2026-11-20T10", job={}, cluster="lemaitre3")
    for kept in (
        record("submitted", "2026-11-20T09", job={}, cluster="lemaitre3"),
        wanted,
        record("submitted", "2026-11-20T11", job={}, cluster="nic5"),
        record("created", "2026-11-20T12", cluster="lemaitre3"),
    ):
        records.save(kept)
    assert records.newest_on("lemaitre3") == wanted
    assert records.newest_on("dragon2") is None


def test_submissions_are_found_by_how_their_uuid_begins(records: Records) -> None:
    """All that begin so, in their order; none is no error."""
    known = [f"abcdef0{number}-0000-4000-8000-000000000000" for number in (1, 2)]
    for job_uuid in known:
        records.save({**record("created", "2026"), "job_uuid": job_uuid})
    assert records.beginning("abcdef01") == known[:1]
    assert records.beginning("abc") == known
    assert records.beginning("0123") == []


def test_a_parcel_is_kept_until_it_is_not_needed(records: Records) -> None:
    """Beside the record; forgetting it twice is fine."""
    path = records.parcel("uuid")
    path.write_bytes(b"parcel")
    for _ in range(2):
        records.forget_parcel("uuid")
    assert not path.exists()


def test_a_save_that_fails_leaves_the_old_record(records: Records) -> None:
    """What cannot be written as JSON changes nothing."""
    kept = record("created", "2026")
    records.save(kept)
    with pytest.raises(TypeError):
        records.save({**kept, "bad": object()})
    assert records.load(kept["job_uuid"]) == json.loads(json.dumps(kept))
