"""What the registry and the client leave on a disk is for their owner alone, whatever the umask says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from project.adapters.records import Records
from project.crash import keep_crash
from tests.contract.registry_process import RegistryProcess, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _careless() -> Iterator[None]:
    """Processes of these tests would let anybody read and write what they make."""
    before = os.umask(0)
    yield
    os.umask(before)


def _open_to_others(folder: Path, *besides: str) -> list[str]:
    made = [path for path in folder.rglob("*") if path.name not in besides]
    assert made
    return [f"{path}: {path.stat().st_mode & 0o777:o}" for path in made if path.stat().st_mode & 0o077]


def test_what_a_registry_keeps_is_its_own(tmp_path: Path) -> None:
    """The database with its journals, the cookie key, mail in files, what a backup would find."""
    data = tmp_path / "deep" / "data"
    registry = RegistryProcess(tmp_path / "registry")
    registry.command("user", "list", "--data-dir", str(data))
    assert _open_to_others(tmp_path, "registry") == []
    registry.furnish()
    with registry.started():
        job_uuid = registry.create_job()
        registry.report(state(job_uuid, 1, "RUNNING"))
        registry.wait_for_mails(1)
        assert _open_to_others(registry.folder, "output") == []  # which is this test's own


def test_what_a_client_keeps_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records, parcels' folder and crashes; those above them that were missing, too."""
    home = tmp_path / "share" / "gridferry"
    monkeypatch.setenv("GRIDFERRY_HOME", str(home))
    Records(home / "jobs").save({"job_uuid": "x"})
    keep_crash(ValueError("x"))
    assert {path.name for path in home.iterdir()} == {"jobs", "crashes"}
    assert _open_to_others(tmp_path) == []
