"""A command without any file, as a job file."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core import shell_words
from project.core.command_job import CommandWish, job_file
from project.core.job_file.validate import validate
from project.core.problems import InvalidDocument
from project.core.slurm.directives import directives

_LEAST = {"username": "x", "user_mail": "x@example.org", "destination_cluster": "x"}
_WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=5)


@given(_WORDS)
def test_a_shell_reads_the_very_words(words: list[str]) -> None:
    """Spaces, quotes, dollars, newlines, stars, and words that are empty."""
    script = f"set -- {shell_words.join(words)}; printf '%s\\0' \"$@\""
    printed = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
    assert printed == b"".join(word.encode() + b"\0" for word in words)


@pytest.mark.parametrize(
    ("wish", "options"),
    [
        ({}, ["--ntasks=1", "--nodes=1"]),
        ({"processes_per_node": 4}, ["--ntasks=4", "--nodes=1"]),
        ({"nodes": 3}, ["--ntasks=3", "--nodes=3", "--ntasks-per-node=1"]),
        (
            {"nodes": 2, "processes_per_node": 4, "cpus": 2, "memory": "1G", "time": "2h"},
            ["--time=0-02:00:00", "--ntasks=8", "--cpus-per-task=2", "--mem-per-cpu=128M", "--nodes=2",
             "--ntasks-per-node=4"],
        ),
        ({"memory": "1G", "processes_per_node": 3}, ["--ntasks=3", "--mem-per-cpu=342M", "--nodes=1"]),
    ],
)  # fmt: skip
def test_what_is_asked_of_slurm(wish: dict[str, Any], options: list[str]) -> None:
    """Nodes with as many processes on each as wished; a node's memory is shared among the CPUs asked for there."""
    document = {**_LEAST, **job_file(CommandWish(["hostname"], **wish))}
    assert directives(validate(document, source="x").resources) == [*options, "--no-requeue"]


def test_several_processes_are_started_by_srun() -> None:
    """A single one is not; the label is the command's name unless said."""
    assert job_file(CommandWish(["/bin/echo", "a b"]))["execution"] == ["/bin/echo 'a b'"]
    several = job_file(CommandWish(["/bin/echo", "a b"], nodes=2))
    assert (several["execution"], several["job_name"]) == (["srun /bin/echo 'a b'"], "echo")
    assert job_file(CommandWish(["true"], name="probe"))["job_name"] == "probe"


def test_what_is_no_memory_is_told() -> None:
    """By the option's name."""
    with pytest.raises(InvalidDocument) as caught:
        job_file(CommandWish(["true"], memory="lots"))
    assert "--mem: 'lots' is not a size" in caught.value.detail
