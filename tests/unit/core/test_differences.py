"""What differs between two job files."""

from __future__ import annotations

from project.core.differences import Difference, differences


def test_keys_are_told_with_what_they_were_and_are() -> None:
    """Dotted, in alphabetical order; what is the same is left out, what is gone or new has nothing on one side."""
    before = {"execution": ["a"], "resources": {"duration": "1h", "partition": "x"}, "kwargs": {}}
    after = {"execution": ["a"], "resources": {"duration": "2h", "qos": "long"}, "kwargs": {}}
    assert list(differences(before, after)) == [
        Difference("resources.duration", "1h", "2h"),
        Difference("resources.partition", "x", None),
        Difference("resources.qos", None, "long"),
    ]
    assert list(differences(before, before)) == []


def test_a_group_in_the_place_of_a_value_is_one_difference() -> None:
    """As where some tasks of an array are repeated: what stood there is not told as gone and as new."""
    before, after = {"resources": {"nbr_jobs_in_array": 10}}, {"resources": {"nbr_jobs_in_array": {"ids": "2-7"}}}
    assert list(differences(before, after)) == [Difference("resources.nbr_jobs_in_array", 10, {"ids": "2-7"})]
    assert [one.key for one in differences({}, {"for_each": {"files": "a", "at_once": 3}})] == [
        "for_each.at_once",
        "for_each.files",
    ]
