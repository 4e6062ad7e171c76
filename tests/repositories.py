"""Git repositories made for tests."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def git(folder: Path, *words: str) -> str:
    """Run git in a folder as somebody called t; return what it prints."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]
    argv = ["git", *identity, *words]
    return subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def make_repository(folder: Path, files: Mapping[str, str], *submodules: str) -> Path:
    """Make a repository with a branch `main` whose first commit holds `files`; return its folder.

    Args:
        folder: made.
        files: content by name.
        submodules: URLs of further repositories, which become the folders `sub1`, `sub2`, …
    """
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for name, content in files.items():
        (folder / name).write_text(content)
    for number, url in enumerate(submodules, 1):
        git(folder, "submodule", "--quiet", "add", url, f"sub{number}")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder
