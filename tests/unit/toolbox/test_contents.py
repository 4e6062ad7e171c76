"""Small results come with their list."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from project.services.results import ResultsFolder
from project.toolbox.contents import bring_along
from project.toolbox.manifest import describe

if TYPE_CHECKING:
    from pathlib import Path


def _listed(folder: Path, **contents: bytes) -> dict[str, object]:
    """The manifest of these files."""
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {"files": [describe(name, str(folder / name)) for name in contents]}


def _arrived(folder: Path, listed: dict[str, object]) -> dict[str, bytes | None]:
    """What a client takes from a manifest, by name."""
    files: list[dict[str, object]] = listed["files"]  # type: ignore[assignment]
    results = [ResultsFolder(folder).result(str(entry["name"]), entry) for entry in files]
    return {result.name: result.file.content for result in results}


def test_the_client_has_what_was_small(tmp_path: Path) -> None:
    """Any bytes, and none at all."""
    listed = _listed(tmp_path, plain=b"text\n", odd=bytes(range(256)), empty=b"")
    bring_along(listed)
    assert _arrived(tmp_path, listed) == {"plain": b"text\n", "odd": bytes(range(256)), "empty": b""}


@pytest.mark.parametrize(("size", "comes"), [(256 * 1024, True), (256 * 1024 + 1, False)])
def test_much_does_not_come_along(tmp_path: Path, size: int, *, comes: bool) -> None:
    """Together they count, and then none comes."""
    listed = _listed(tmp_path, large=bytes(size - 10), small=bytes(10))
    bring_along(listed)
    assert [content is not None for content in _arrived(tmp_path, listed).values()] == [comes, comes]


def test_many_do_not_come_along(tmp_path: Path) -> None:
    """However small."""
    listed = _listed(tmp_path, **{f"f{number}": b"" for number in range(1001)})
    bring_along(listed)
    assert set(_arrived(tmp_path, listed).values()) == {None}


def test_a_file_that_went_away_is_left_out(tmp_path: Path) -> None:
    """The list says what it was; the others come."""
    listed = _listed(tmp_path, gone=b"gone", here=b"here")
    (tmp_path / "gone").unlink()
    bring_along(listed)
    assert _arrived(tmp_path, listed) == {"gone": None, "here": b"here"}


@pytest.mark.parametrize("content", ["no base64!", "====", base64.b64encode(b"x").decode() + "\n\n!"])
def test_nonsense_is_as_good_as_nothing(tmp_path: Path, content: str) -> None:
    """The file is fetched, then."""
    listed = _listed(tmp_path, file=b"x")
    listed["files"][0]["content"] = content  # type: ignore[index]
    assert _arrived(tmp_path, listed) == {"file": None}
