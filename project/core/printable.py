"""Text of strangers, fit to be shown: nothing in it moves a cursor, sets a title, hides or turns a line round.

A module, a compiler, a cluster or a registry may print anything. Whatever is shown on a terminal, written to a log or
put into a mail goes through here first.
"""

import re

#: Sequences that command a terminal (ECMA-48 section 5.4; OSC and its like up to their end).
_COMMANDS = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\\\|\x9c)"
)
#: Control characters but tab and line feed; ends of lines only some programs know; those that turn the direction of
#: writing (UAX #9); halves of surrogate pairs, which no output takes.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_USUAL_CHARS = 100


def harmless(text: object) -> str:
    """Return `text` with terminal commands left out and every other harmful character replaced; lines stay lines."""
    lines = _COMMANDS.sub("", str(text)).replace("\r\n", "\n")
    return _HARMFUL.sub(_REPLACEMENT, lines)


def one_line(text: object, longest_chars: int = _USUAL_CHARS) -> str:
    """Return `text` as one harmless line of sensible length."""
    line = " ".join(harmless(text).replace(_REPLACEMENT, " ").split())
    return line if len(line) <= longest_chars else line[:longest_chars] + "…"
