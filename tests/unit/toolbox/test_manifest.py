"""What a job left behind, as it is listed for the client."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from project.core.layout import JobPaths
from project.toolbox.manifest import LARGE_BYTES, complete, describe, hash_of, manifest


@pytest.fixture
def paths(tmp_path: Path) -> JobPaths:
    """A job's folder with a working directory and something outside of it."""
    (tmp_path / "job" / "work").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("not yours")
    return JobPaths(str(tmp_path / "job"))


def write(paths: JobPaths, *names: str) -> None:
    """Write files into the working directory, each holding its own name."""
    for name in names:
        path = Path(paths.work) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))


def listed(paths: JobPaths, *outputs: str) -> list[str]:
    """The names in the manifest."""
    return [entry["name"] for entry in manifest(paths, outputs)["files"]]


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["a.txt"], ["a.txt"]),
        (["*.txt"], ["a.txt", "b.txt"]),
        (["plots"], ["plots/1.png", "plots/deep/2.png"]),
        (["plots/"], ["plots/1.png", "plots/deep/2.png"]),
        (["plots/*"], ["plots/1.png", "plots/deep/2.png"]),
        (["plots/*.png"], ["plots/1.png"]),
        (["**/*.png"], ["plots/1.png", "plots/deep/2.png"]),
        (["[ab].txt"], ["a.txt", "b.txt"]),
        (["x[1].txt"], ["x[1].txt"]),
        (["."], ["a.txt", "b.txt", "plots/1.png", "plots/deep/2.png", "x[1].txt"]),
        (["a.txt", "*.txt", "a.txt"], ["a.txt", "b.txt", "x[1].txt"]),
        ([], []),
    ],
)
def test_outputs_are_names_folders_and_globs(paths: JobPaths, patterns: list[str], names: list[str]) -> None:
    """A name that exists is meant as it stands, even if it looks like a glob; each file is listed once."""
    write(paths, "a.txt", "b.txt", "plots/1.png", "plots/deep/2.png", "x[1].txt")
    expected = names if patterns != ["*.txt"] else ["a.txt", "b.txt", "x[1].txt"]
    assert listed(paths, *patterns) == expected


def test_a_file_is_described_by_its_content(paths: JobPaths) -> None:
    """Size and SHA-256, where it is there, and whether it can be run."""
    write(paths, "run.sh")
    (Path(paths.work) / "run.sh").chmod(0o755)
    (entry,) = manifest(paths, ["run.sh"])["files"]
    digest = hashlib.sha256(b"run.sh").hexdigest()
    assert entry == {
        "name": "run.sh",
        "path": f"{paths.work}/run.sh",
        "size": 6,
        "sha256": digest,
        "executable": True,
    }


def test_the_hash_of_a_large_file_may_come_later(paths: JobPaths) -> None:
    """The list says of which there is none yet; whoever can wait has it at once."""
    write(paths, "small")
    large = Path(paths.work) / "large"
    with large.open("wb") as file:
        file.truncate(LARGE_BYTES + 1)
    digest = hashlib.sha256(bytes(LARGE_BYTES + 1)).hexdigest()
    entries = {entry["name"]: entry for entry in manifest(paths, ["*"])["files"]}
    assert (entries["large"]["size"], entries["large"]["sha256"]) == (LARGE_BYTES + 1, "")
    assert entries["small"]["sha256"] == hashlib.sha256(b"small").hexdigest()
    assert hash_of(str(large)) == digest
    assert complete(entries["large"])["sha256"] == digest
    assert complete(entries["small"]) == entries["small"]
    large.unlink()
    assert hash_of(str(large)) == ""


def test_what_is_not_there_is_missing(paths: JobPaths) -> None:
    """Names, globs and empty folders that gave nothing are told; a dangling link is nothing."""
    write(paths, "a.txt")
    (Path(paths.work) / "empty").mkdir()
    (Path(paths.work) / "dangling").symlink_to("nowhere")
    assert manifest(paths, ["a.txt", "b.txt", "*.png", "dangling"])["missing"] == ["b.txt", "*.png", "dangling"]


_ODD = [
    b"two\nlines",
    b" spaces ",
    b"tab\t",
    "żółw 🐢".encode(),
    b"\xff\xfe",
    b"'\"`$x",
    b"back\\slash",
    b"-rf",
    b"*?[",
]


@pytest.mark.parametrize("raw", _ODD)
def test_odd_names_survive_the_way_to_the_client(paths: JobPaths, raw: bytes) -> None:
    """Whatever bytes a name is made of, they are the same once the line of JSON has been read."""
    name = os.fsdecode(raw)
    write(paths, f"out/{name}")
    found: dict[str, Any] = json.loads(json.dumps(manifest(paths, ["out"])))
    assert [os.fsencode(entry["name"]) for entry in found["files"]] == [b"out/" + raw]
    assert os.fsencode(found["files"][0]["path"]) == os.fsencode(paths.work) + b"/out/" + raw


def test_nothing_outside_of_the_folder_is_listed(paths: JobPaths) -> None:
    """Links to files and folders elsewhere are no results; links within the folder are."""
    write(paths, "inside/a.txt")
    work = Path(paths.work)
    (work / "file").symlink_to("../../secret.txt")
    (work / "folder").symlink_to("../..")
    (work / "inside" / "up").symlink_to("/etc")
    (work / "alias").symlink_to("inside")
    assert listed(paths, "file", "folder", "folder/secret.txt", "inside", "*") == ["alias/a.txt", "inside/a.txt"]
    assert listed(paths, "alias") == ["alias/a.txt"]


def test_loops_of_symlinks_have_an_end(paths: JobPaths) -> None:
    """Folders that lead back to themselves, two of them even: each file is listed once, under its own name."""
    write(paths, "a/one.txt", "b/two.txt")
    work = Path(paths.work)
    for folder in ("a", "b"):
        (work / folder / "up").symlink_to("..")
        (work / folder / "self").symlink_to("self")
    for patterns in (["**/*.txt"], ["."], ["**"], ["a", "b"]):
        assert listed(paths, *patterns) == ["a/one.txt", "b/two.txt"], patterns
    assert manifest(paths, ["a/self"])["missing"] == ["a/self"]


def test_a_link_to_a_folder_is_followed_where_it_is_named(paths: JobPaths) -> None:
    """By a name or a pattern that matches it, as a shell does; not by `**`, and not further down."""
    write(paths, "runs/5/out.txt")
    (Path(paths.work) / "latest").symlink_to("runs/5")
    assert listed(paths, "latest") == ["latest/out.txt"]
    assert listed(paths, "lat*/*.txt") == ["latest/out.txt"]
    assert listed(paths, "**/out.txt") == ["runs/5/out.txt"]
    assert listed(paths, ".") == ["runs/5/out.txt"]


def test_hidden_files_need_to_be_named(paths: JobPaths) -> None:
    """By patterns they are not matched unless these begin with a dot; in a folder that is named they are."""
    write(paths, ".hidden/a.txt", ".b.txt", "c.txt", "d/.e.txt")
    assert listed(paths, "*.txt") == ["c.txt"]
    assert listed(paths, "**/*.txt") == ["c.txt"]
    assert listed(paths, ".*.txt") == [".b.txt"]
    assert listed(paths, "d") == ["d/.e.txt"]


def test_a_glob_that_matches_thousands(paths: JobPaths) -> None:
    """All of them are listed."""
    (Path(paths.work) / "out").mkdir()
    for number in range(5000):
        (Path(paths.work) / "out" / f"{number}.txt").touch()
    assert len(listed(paths, "out/*.txt")) == 5000
    assert manifest(paths, ["out/*.png"])["missing"] == ["out/*.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_what_may_not_be_read_says_why(paths: JobPaths) -> None:
    """A file or a folder that the job has closed even to its owner keeps the others from nobody."""
    write(paths, "a.txt", "closed.txt", "folder/b.txt")
    (Path(paths.work) / "closed.txt").chmod(0)
    (Path(paths.work) / "folder").chmod(0)
    try:
        found = manifest(paths, ["."])
    finally:
        (Path(paths.work) / "folder").chmod(0o700)
    reasons = {entry["name"]: entry.get("unreadable", "") for entry in found["files"]}
    assert reasons == {"a.txt": "", "closed.txt": "Permission denied", "folder": "Permission denied"}


def test_a_file_that_cannot_be_read_says_why(paths: JobPaths) -> None:
    """Whoever asks: here it is a folder, which nobody can read as a file."""
    assert describe("work", paths.work)["unreadable"] == "Is a directory"


def test_slurms_files_and_logs_come_along(paths: JobPaths) -> None:
    """Job script, Slurm's output and the logs of the stages; but the job's own file of such a name goes first."""
    for name in ("slurm-41.out", "slurm-41.err", "job.sbatch", "compilation.log", "spec.json"):
        (Path(paths.directory) / name).write_text(name)
    assert listed(paths) == ["compilation.log", "job.sbatch", "slurm-41.err", "slurm-41.out"]
    write(paths, "job.sbatch")
    entry = next(entry for entry in manifest(paths, ["job.sbatch"])["files"] if entry["name"] == "job.sbatch")
    assert entry["path"] == f"{paths.work}/job.sbatch"


def test_pipes_and_sockets_are_no_results(paths: JobPaths) -> None:
    """Reading one would never end."""
    os.mkfifo(Path(paths.work) / "pipe")
    assert manifest(paths, ["pipe"])["missing"] == ["pipe"]
    assert listed(paths, ".") == []
