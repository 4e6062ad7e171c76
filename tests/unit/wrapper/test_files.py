"""Writing to the cluster's disk: whole or not at all, and one winner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from project.wrapper import files
from tests.unit.wrapper.racing import race

if TYPE_CHECKING:
    from pathlib import Path

_CREATE = """
from project.wrapper import files
for number in range(40):
    print(int(files.create(f"{sys.argv[1]}/{number}", str(number).encode() * 1000)))
"""


def test_of_many_that_create_a_file_one_wins(tmp_path: Path) -> None:
    """Five processes create the same forty files: each has one maker, whole content, and nothing else is left."""
    wins = [list(map(int, printed.split())) for printed in race(_CREATE, str(tmp_path))]
    assert [sum(of_one) for of_one in zip(*wins, strict=True)] == [1] * 40
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {str(n): str(n) * 1000 for n in range(40)}


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    """The new content stands, readable by its owner only, and no temporary file is left."""
    path = tmp_path / "file"
    path.write_text("old")
    files.replace(str(path), b"new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_old(tmp_path: Path) -> None:
    """A folder in the way: the error is raised, and neither the folder nor a temporary file has changed."""
    (tmp_path / "file" / "inner").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        files.replace(str(tmp_path / "file"), b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("document", [{"a": 1}, [], "é \ud800", None, {"name": "line\nbreak"}])
def test_json_comes_back(tmp_path: Path, document: object) -> None:
    """Any JSON, file names that are not UTF-8 included."""
    path = str(tmp_path / "file.json")
    files.replace_json(path, document)
    assert files.read_json(path) == document


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    """No file is no error."""
    assert files.read_text(str(tmp_path / "x")) is None
    assert files.read_json(str(tmp_path / "x")) is None
    assert files.tail(str(tmp_path / "x")) == ""


def test_a_tail_is_the_last_lines(tmp_path: Path) -> None:
    """Of a long file a few lines, whatever bytes it holds."""
    path = tmp_path / "log"
    path.write_bytes(b"x" * 10_000 + b"\n" + b"\n".join(b"line %d \xff" % number for number in range(30)))
    lines = files.tail(str(path)).splitlines()
    assert len(lines) == 20
    assert lines[-1] == "line 29 \ufffd"


def test_folders_are_made_private(tmp_path: Path) -> None:
    """And making them again is fine."""
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        files.make_folder(str(folder))
    assert folder.stat().st_mode & 0o777 == 0o700
