"""The one way from words to a shell line: whatever a word holds, the shell reads it as that word."""

import shlex
from typing import Iterable


def join(words: Iterable[str]) -> str:
    """Return the line that a POSIX shell splits into these words."""
    return " ".join(shlex.quote(word) for word in words)
