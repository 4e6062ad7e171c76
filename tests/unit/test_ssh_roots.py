"""Paths of a confined SFTP."""

from __future__ import annotations

import pytest

from project.adapters.ssh.roots import Roots


@pytest.mark.parametrize(
    ("directory", "seen_as", "path", "translated"),
    [
        (b"/home/me/jobs", b"/me/jobs", b"/home/me/jobs/x", b"/me/jobs/x"),
        (b"/home/me/jobs", b"/me/jobs", b"/home/me/else/y", b"/me/else/y"),
        (b"/home/me/jobs", b"/me/jobs", b"/scratch/me/x", b"/scratch/me/x"),
        (b"/home/me", b"", b"/home/me/x", b"/x"),
        (b"/home/me", b"/u17/me", b"/home/me/x", b"/u17/me/x"),
        (b"/home/me", b"/home/me", b"/home/me/x", b"/home/me/x"),
        (b"/home/me", b"", b"/home/melanie/x", b"/home/melanie/x"),
    ],
)
def test_one_known_directory_tells_of_others(
    directory: bytes, seen_as: bytes, path: bytes, translated: bytes
) -> None:
    """What is learned of one directory holds for whatever lies under the same root, and for nothing else."""
    roots = Roots()
    roots.note(directory, seen_as)
    assert roots.there(path) == translated
