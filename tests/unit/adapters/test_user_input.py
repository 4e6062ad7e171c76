"""YAML as people mean it, with the line of every key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from project.adapters.user_input import LoadedFile, apply_settings, load
from project.core.errors import UsageError
from project.core.problems import InvalidDocument, Problem


def read(folder: Path, text: str | bytes) -> LoadedFile:
    """Write a file and load it."""
    path = folder / "job.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path)


def problems_of(folder: Path, text: str | bytes) -> list[Problem]:
    """Everything that is wrong with a file."""
    with pytest.raises(InvalidDocument) as caught:
        read(folder, text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1:30:00", "1:30:00"),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("0123", "0123"),
        ("08", "08"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        ("null", None),
        ("~", None),
        ("", None),
        ('"12"', "12"),
        ("[1, a]", [1, "a"]),
        ("1d2h30m", "1d2h30m"),
        ("=", "="),
    ],
)
def test_values_are_what_people_mean(tmp_path: Path, written: str, value: Any) -> None:
    """Times and dates stay text, only true and false are booleans, a leading zero is no octal number."""
    found = read(tmp_path, f"key: {written}\n").document["key"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("key", ["1", "1.10", "true", "null", "2026-11-20", "no"])
def test_keys_are_text(tmp_path: Path, key: str) -> None:
    """Whatever they look like: that is what they are once the file travels as JSON."""
    assert read(tmp_path, f"kwargs:\n  {key}: x\n  z: y\n").document == {"kwargs": {key: "x", "z": "y"}}


def test_every_key_has_its_line(tmp_path: Path) -> None:
    """From 1, comments and lists of texts included, by its dotted name."""
    text = "# a job\nusername: x\n\nresources:\n  duration: 1h  # long\n  nbr_processes: 2\noutput:\n  - a\njob: y\n"
    assert read(tmp_path, text).lines == {
        "username": 2,
        "resources": 4,
        "resources.duration": 5,
        "resources.nbr_processes": 6,
        "output": 7,
        "job": 9,
    }


def test_anchors_and_merges_work(tmp_path: Path) -> None:
    """What one group says can be said of another."""
    text = "base: &base {a: 1, b: 2}\nother:\n  <<: *base\n  b: 3\n"
    assert read(tmp_path, text).document["other"] == {"a": 1, "b": 3}


def test_a_byte_order_mark_and_carriage_returns_do_no_harm(tmp_path: Path) -> None:
    """Editors on other systems leave them."""
    assert read(tmp_path, b"\xef\xbb\xbfusername: x\r\njob: y\r\n").document == {"username": "x", "job": "y"}


@pytest.mark.parametrize(
    ("text", "key", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "a", 3, "this key stands in line 1 already"),
        ("r:\n  a: 1\n  a: 2\n", "r.a", 3, "this key stands in line 2 already"),
        ("1: a\n'1': b\n", "1", 2, "this key stands in line 1 already"),
        ("a:\n\t- b\n", "", 2, "this is not YAML"),
        ("a: [1, 2\nb: 3\n", "", 2, "this is not YAML"),
        ("a: b: c\n", "", 1, "this is not YAML"),
        ("a: 1\n---\nb: 2\n", "", None, "this is not YAML"),
        ("a: *nowhere\n", "", 1, "this is not YAML"),
        ("a: \0\n", "", None, "this is not YAML"),
        (b"a: \xe9t\xe9\n", "", None, "byte 3 is not UTF-8"),
        ("a: !!timestamp 2026-11-20\n", "", None, "JSON cannot express"),
        ("a: !!set {x, y}\n", "", None, "JSON cannot express"),
        ("a: &a {b: *a}\n", "", None, "JSON cannot express"),
        ("a: &a [*a]\n", "", None, "JSON cannot express"),
        ("a: !!python/object:os.system x\n", "", 1, "this is not YAML"),
        ("[" * 5000, "", None, "JSON cannot express"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str | bytes, key: str, line: int | None, message: str
) -> None:
    """Keys that stand twice, tabs, things that are no YAML, no UTF-8, or no JSON; never a crash."""
    (problem,) = problems_of(tmp_path, text)
    assert problem.key == key
    assert message in problem.message
    assert problem.remedy
    if line is not None:
        assert problem.line == line


def test_all_keys_that_stand_twice_are_told(tmp_path: Path) -> None:
    """Not only the first."""
    assert [problem.key for problem in problems_of(tmp_path, "a: 1\na: 2\nb: 1\nb: 2\n")] == ["a", "b"]


def test_an_empty_file_is_nothing(tmp_path: Path) -> None:
    """Which the validator tells as such."""
    assert read(tmp_path, "# nothing\n").document is None


@pytest.mark.parametrize("name", ["nowhere.yml", "."])
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    """A file that is not there, or a folder."""
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / name)


def test_a_file_that_is_too_long_is_no_job_file(tmp_path: Path) -> None:
    """It is refused, and not read half."""
    with pytest.raises(UsageError, match="is longer than"):
        read(tmp_path, "a: 1\n" + "# x\n" * 600_000)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("username=y", {"username": "y", "resources": {"duration": "1h"}}),
        ("resources.duration=1:30:00", {"username": "x", "resources": {"duration": "1:30:00"}}),
        ("resources.nbr_processes=4", {"username": "x", "resources": {"duration": "1h", "nbr_processes": 4}}),
        ("output=[a, b]", {"username": "x", "resources": {"duration": "1h"}, "output": ["a", "b"]}),
        (
            "kwargs.deep.key=a=b",
            {"username": "x", "resources": {"duration": "1h"}, "kwargs": {"deep": {"key": "a=b"}}},
        ),
        ("resources=", {"username": "x", "resources": None}),
        (" job = z ", {"username": "x", "resources": {"duration": "1h"}, "job": "z"}),
    ],
)
def test_settings_go_on_top_of_the_file(tmp_path: Path, setting: str, expected: dict[str, Any]) -> None:
    """Dotted keys, values read as the file's are; what was set has no line any more."""
    loaded = read(tmp_path, "username: x\nresources:\n  duration: 1h\n")
    apply_settings(loaded, [setting])
    assert loaded.document == expected
    assert setting.partition("=")[0].strip() not in loaded.lines


def test_settings_may_make_a_file_of_nothing() -> None:
    """Without a file, they are all there is; the last one wins."""
    loaded = LoadedFile("", None, Path())
    apply_settings(loaded, ["a=1", "a=2", "b.c=x"])
    assert loaded.document == {"a": 2, "b": {"c": "x"}}


@pytest.mark.parametrize("setting", ["username", "=x", " =x", "a=[1", "a=b: c: d", "a=\0"])
def test_what_is_no_setting_is_told(setting: str) -> None:
    """No key, no sign, or a value that is no YAML."""
    with pytest.raises(UsageError) as caught:
        apply_settings(LoadedFile("", {}, Path()), [setting])
    assert caught.value.remedy


def test_a_secret_is_not_taken_from_the_command_line() -> None:
    """Everybody on the machine can read command lines; the refusal does not repeat it."""
    with pytest.raises(UsageError, match="is a secret") as caught:
        apply_settings(LoadedFile("", {}, Path()), ["passphrase=open sesame"])
    assert "sesame" not in str(caught.value) + caught.value.remedy
