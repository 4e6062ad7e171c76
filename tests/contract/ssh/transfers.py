"""What the tests of transfers have in common."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from project.ports import RemoteFile

if TYPE_CHECKING:
    from pathlib import Path

#: Larger than what fits into all buffers on the way, so that a cut comes in the middle.
LARGE = os.urandom(1024 * 1024) * 24


#: Names that a file can have, each with something that has broken programs.
ODD_NAMES = [
    "with space",
    " ends in space ",
    "quote'\"s",
    "new\nline",
    "tab\t",
    "-rf",
    "--",
    "$HOME `id` \\",
    "*",
    "[a]?",
    "é€🐢",
    "latin-\udce9",
    "\udcff\udcfe",
    "...",
    ".part",
    "x" * 255,
    "é" * 127,
]


def manifest(path: Path | str, content: bytes) -> RemoteFile:
    """Return what a manifest says of a file."""
    return RemoteFile(str(path), len(content), hashlib.sha256(content).hexdigest())
