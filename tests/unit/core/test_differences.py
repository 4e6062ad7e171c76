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
