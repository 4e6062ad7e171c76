"""Problems of files people wrote, and the guess at what they meant."""

from __future__ import annotations

import pytest

from project.core.job_file.fields import FIELDS
from project.core.problems import InvalidDocument, Problem, nearest


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("usernam", "username"),
        ("user", "username"),
        ("executon", "execution"),
        ("destination", "destination_cluster"),
        ("resources.duraton", "resources.duration"),
        ("duration", "resources.duration"),
        ("resource.duration", "resources.duration"),
        ("nbr_of_jobs_in_array", "resources.nbr_jobs_in_array"),
        ("colour", None),
        ("a", None),
        ("", None),
    ],
)
def test_the_nearest_key_is_named(word: str, known: str | None) -> None:
    """A slip of the finger, a part of the word, and the right key in the wrong place are recognised."""
    assert nearest(word, FIELDS) == known


def test_nothing_is_near_when_nothing_is_known() -> None:
    """An empty table gives no guess."""
    assert nearest("word", []) is None


def test_a_problem_is_one_line_with_its_place() -> None:
    """File, line, key, what is wrong and what would be right; what is not known is left out."""
    problem = Problem("resources.duration", "'x' is not a duration", "Write 10m")
    assert (
        problem._replace(line=7).render("job.yml")
        == "job.yml:7: resources.duration: 'x' is not a duration. Write 10m"
    )
    assert Problem("", "it is empty", "").render("job.yml") == "job.yml: it is empty."


@pytest.mark.parametrize(("count", "words"), [(1, "1 problem"), (3, "3 problems")])
def test_a_document_tells_all_its_problems(count: int, words: str) -> None:
    """The message counts them, the detail lists them."""
    error = InvalidDocument("job.yml", [Problem("key", "wrong", "right", line) for line in range(count)])
    assert error.message == f"{words} in job.yml; nothing was done"
    assert len(error.detail.splitlines()) == count
