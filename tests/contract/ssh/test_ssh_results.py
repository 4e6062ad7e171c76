"""The way of results through the real toolbox over real SSH: odd names, and thousands of them."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from project.adapters.archive import TOOLBOX, Archive
from project.core.layout import JobPaths
from project.services.remote import Remote
from project.services.results import ResultsFolder
from project.wrapper.clock import Clock
from project.wrapper.journal import Journal
from tests.contract.ssh.transfers import ODD_NAMES
from tests.unit.services.ports import ListeningView

if TYPE_CHECKING:
    from pathlib import Path

    from project.adapters.ssh.connection import SshConnection

_LEAST = {"username": "x", "user_mail": "x@example.org", "destination_cluster": "x", "execution": "true"}


def note_end(folder: Path) -> None:
    """Make the journal of a job that is done with."""
    (folder / "journal").mkdir()
    Journal(folder.name, JobPaths(str(folder)), Clock()).append("state", {"state": "DONE"})


class LeftBehind:
    """A job that has ended, on a login node.

    Attributes:
        work: its working directory.
    """

    def __init__(self, far: Path, cache: Path) -> None:
        self._root = far.resolve()
        self._root.chmod(0o700)
        self._cache = cache
        self.job_uuid = str(uuid.uuid4())
        folder = self._root / "gridferry" / "jobs" / self.job_uuid
        self.work = folder / "work"
        self.work.mkdir(parents=True, mode=0o700)
        user_input = {**_LEAST, "output": ["out"], "resources": {"duration": "1m", "memory_per_thread": "1M"}}
        sent: dict[str, Any] = {"user_input": user_input, "cluster": {"name": "x"}, "modules": []}
        (folder / "spec.json").write_text(json.dumps(sent))
        note_end(folder)

    def write(self, names: list[str]) -> None:
        """Write results that hold their names."""
        for name in names:
            path = self.work / "out" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.fsencode(name))

    def fetch(self, there: SshConnection, here: Path) -> dict[str, bytes]:
        """List and fetch them; return what came."""
        cluster = {"name": "x", "hostname": "127.0.0.1", "job_root": str(self._root)}
        remote = Remote(there, cluster, Archive(self._cache, TOOLBOX))
        remote.reach()
        _, event = remote.run("results", self.job_uuid)  # the first hands over the journal
        here.mkdir()
        folder = ResultsFolder(here)
        results = [folder.result(str(entry["name"]), entry) for entry in event["manifest"]["files"]]
        assert remote.fetch(results, ListeningView()) == {}
        remote.close()
        out = here / "out"
        return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.fixture
def left_behind(far: Path, tmp_path: Path) -> LeftBehind:
    """A job without results yet."""
    return LeftBehind(far, tmp_path / "cache")


def test_odd_names_come_back_as_they_are(left_behind: LeftBehind, there: SshConnection, tmp_path: Path) -> None:
    """Through listing, checking, asking and fetching; in folders of such names, too."""
    names = [*ODD_NAMES, *(f"in/{name}/{name}" for name in ODD_NAMES)]
    left_behind.write(names)
    assert left_behind.fetch(there, tmp_path / "here") == {name: os.fsencode(name) for name in names}


def test_ten_thousand_results_come_in_few_channels(
    left_behind: LeftBehind, there: SshConnection, tmp_path: Path
) -> None:
    """Far from a round trip for each."""
    names = [f"{number // 100}/{number}" for number in range(10_000)]
    left_behind.write(names)
    assert left_behind.fetch(there, tmp_path / "here") == {name: name.encode() for name in names}
    assert there.channels_opened <= 4
