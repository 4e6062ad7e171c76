"""Results in a folder here: what is there is not fetched, what is different stays, what is odd is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import TransferFailed, TransferStopped
from tests.unit.services.fetching import ENDED, Fetch, described
from tests.unit.services.ports import FakeCluster, FakeRegistry

if TYPE_CHECKING:
    from pathlib import Path


def test_only_what_is_not_here_is_fetched(tmp_path: Path) -> None:
    """A file that is here with the same content stays as it is; other files of the folder stay, too."""
    (tmp_path / "a.txt").write_text("a.txt")
    (tmp_path / "mine.txt").write_text("mine")
    before = (tmp_path / "a.txt").stat().st_mtime_ns
    fetch = Fetch(FakeRegistry(ENDED), "a.txt", "b.txt")
    del fetch.cluster.files["/there/a.txt"]  # it could not be fetched
    assert fetch.run(tmp_path).files == ["a.txt", "b.txt"]
    assert (tmp_path / "a.txt").stat().st_mtime_ns == before
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["a.txt", "b.txt", "mine.txt"]


def _put_in_the_way(folder: Path) -> None:
    (folder / "same size").write_text("SAME SIZE")
    (folder / "longer").write_text("longer than it should be")
    (folder / "folder").mkdir()
    (folder / "dangling").symlink_to("nowhere")


def test_a_different_file_is_never_overwritten_silently(tmp_path: Path) -> None:
    """All others come; those that are in the way are kept, and named with what to do."""
    _put_in_the_way(tmp_path)
    names = ("same size", "longer", "folder", "dangling")
    with pytest.raises(TransferFailed, match="4 of 5 files did not arrive") as caught:
        Fetch(FakeRegistry(ENDED), *names, "other").run(tmp_path)
    assert caught.value.detail.splitlines() == [
        f"{name}: another file of this name is there already" for name in names
    ]
    assert "--to DIR" in caught.value.remedy
    assert "--overwrite" in caught.value.remedy
    assert (tmp_path / "same size").read_text() == "SAME SIZE"
    assert (tmp_path / "dangling").is_symlink()
    assert (tmp_path / "other").read_text() == "other"


def test_what_came_before_and_has_changed_there_comes_again(tmp_path: Path) -> None:
    """Nobody here has touched it, so nothing is lost; what somebody has edited stays, and is told."""
    Fetch(FakeRegistry(ENDED), "a.txt", "b.txt").run(tmp_path)
    (tmp_path / "b.txt").write_text("edited here")
    again = Fetch(FakeRegistry(ENDED), "a.txt", "b.txt")
    for name in ("a.txt", "b.txt"):
        again.change(name, f"{name} of a later run")
    with pytest.raises(TransferFailed, match="1 of 2 files did not arrive"):
        again.run(tmp_path)
    assert (tmp_path / "a.txt").read_text() == "a.txt of a later run"
    assert (tmp_path / "b.txt").read_text() == "edited here"


def test_different_files_are_overwritten_if_wanted(tmp_path: Path) -> None:
    """With `--overwrite`."""
    (tmp_path / "same size").write_text("SAME SIZE")
    (tmp_path / "other").write_text("mine")
    assert Fetch(FakeRegistry(ENDED), "same size").run(tmp_path, overwrite=True).files == ["same size"]
    assert (tmp_path / "same size").read_text() == "same size"
    assert (tmp_path / "other").read_text() == "mine"


def test_many_failures_are_told_in_few_lines(tmp_path: Path) -> None:
    """Twenty are named, the others counted."""
    fetch = Fetch(FakeRegistry(ENDED), *(f"{number:03d}" for number in range(100)))
    fetch.cluster.files = {}
    with pytest.raises(TransferFailed, match="100 of 100 files") as caught:
        fetch.run(tmp_path)
    lines = caught.value.detail.splitlines()
    assert (len(lines), lines[0], lines[-1]) == (21, "000: /there/000 is not there", "… and 80 more")


def test_a_lost_connection_ends_the_fetch(tmp_path: Path) -> None:
    """Nothing more is tried, and the message is about the connection."""

    class Cut(FakeCluster):
        """A cluster whose connection breaks with the first file."""

        def get_many(self, files: object, *, progress: object = None) -> set[Path]:
            del files, progress
            raise TransferStopped("the connection broke")

    fetch = Fetch(FakeRegistry(ENDED), "a.txt", "b.txt")
    broken = Cut()
    broken.events, broken.files = fetch.cluster.events, fetch.cluster.files
    fetch.cluster = broken
    with pytest.raises(TransferStopped, match="the connection broke"):
        fetch.run(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_room_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    """Here, for all there is to come together."""
    fetch = Fetch(FakeRegistry(ENDED), "a.txt")
    manifest: Any = fetch.cluster.events["manifest"][0]
    manifest["manifest"]["files"].append({**described("huge", b""), "size": 2**52})
    with pytest.raises(TransferStopped, match="no room for the results"):
        fetch.run(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_nobody_may_read_there_is_told(tmp_path: Path) -> None:
    """With the cluster's reason; the others come."""
    fetch = Fetch(FakeRegistry(ENDED), "a.txt")
    manifest: Any = fetch.cluster.events["manifest"][0]
    manifest["manifest"]["files"].append({**described("closed", b""), "unreadable": "Permission denied"})
    with pytest.raises(TransferFailed, match="1 of 2 files") as caught:
        fetch.run(tmp_path)
    assert caught.value.detail == "closed: it cannot be read on the cluster: Permission denied"
    assert (tmp_path / "a.txt").exists()
