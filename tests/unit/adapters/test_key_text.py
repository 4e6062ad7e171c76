"""A private key that cannot be used is told with the other problems of the job file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from project.adapters.key_text import key_problems
from project.core.problems import InvalidDocument
from project.intake import read_request

if TYPE_CHECKING:
    from pathlib import Path

_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n-----END OPENSSH PRIVATE KEY-----\n"
_ELSEWHERE = {"a": {"private_key": "/of/a"}, "b": {"username": "jd"}}


def _told(private_key: Any, destination: Any = "a", clusters: Any = None) -> list[str]:
    document = {"private_key": private_key, "destination_cluster": destination}
    return [problem.render("job.yml") for problem in key_problems(document, {"private_key": 7}, clusters or {})]


def test_what_is_wrong_with_a_key_is_told_with_line_and_remedy(tmp_path: Path) -> None:
    """It is missing, open to others, or no private key."""
    path = tmp_path / "id"
    end = ". Name another key, or put this one right"
    assert _told(str(path)) == [f"job.yml:7: private_key: {path} does not exist{end}"]
    path.write_text("ssh-ed25519 AAAA me\n")
    path.chmod(0o600)
    assert _told(str(path)) == [f"job.yml:7: private_key: {path} is no private key{end}"]
    path.write_text(_KEY)
    assert _told(str(path)) == []
    path.chmod(0o644)
    assert "is open to other users (mode 0644)" in _told(str(path))[0]
    assert "cannot be read: Is a directory" in _told(str(tmp_path))[0]
    assert "home of nobody" in _told("~nobody-at-all/.ssh/id")[0]


@pytest.mark.parametrize(
    ("destination", "is_told"),
    [("a", False), ("b", True), (["b", "c"], True), (["b", "a"], False), ("auto", False), (["b", "auto"], False)],
)
def test_a_key_that_may_not_be_used_is_left_alone(tmp_path: Path, destination: Any, is_told: bool) -> None:
    """The settings may name another one for a cluster that the job goes to; with `auto` that may be any."""
    assert bool(_told(str(tmp_path / "gone"), destination, _ELSEWHERE)) == is_told


@pytest.mark.parametrize("private_key", [None, "", 7, ["x"]])
def test_no_path_is_no_problem_here(private_key: Any) -> None:
    """Without one the agent is asked; what is no text the job file's rules refuse."""
    assert _told(private_key) == []
    assert key_problems("no job file", {}, {}) == []


def test_it_is_told_with_the_other_problems_in_the_order_of_the_file(tmp_path: Path) -> None:
    """One go shows all there is to mend."""
    path = tmp_path / "job.yml"
    lines = ["private_key: /of/nobody/id", "username: jd", "user_mail: jd@x.org", "destination_cluster: a"]
    path.write_text("\n".join([*lines, "execution: x", "resources:", "  duration: soon"]))
    with pytest.raises(InvalidDocument) as caught:
        read_request(path, None, ("output=[1]",), {})
    assert [problem.key for problem in caught.value.problems] == ["private_key", "resources.duration"]
    assert caught.value.message == f"2 problems in {path}; nothing was done"
