"""What strangers say, before it is shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core.printable import harmless, one_line

_KEPT = "\t\n"
_TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain words, ünd ąll 字\n\tof them", "plain words, ünd ąll 字\n\tof them"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07rest", "rest"),
        ("\x1b]52;c;cm0gLXJm\x1b\\rest", "rest"),
        ("\x1bPq#0\x1b\\rest", "rest"),
        ("\x1b]0;without an end", "\ufffd]0;without an end"),
        ("\x1bc", "\ufffdc"),
        ("10 %\r20 %", "10 %\ufffd20 %"),
        ("line\r\nline", "line\nline"),
        ("photo\u202egnp.exe", "photo\ufffdgnp.exe"),
        ("a\u2028b\x85c\x0bd", "a\ufffdb\ufffdc\ufffdd"),
        ("half \ud800 a pair", "half \ufffd a pair"),
    ],
)
def test_commands_are_left_out_and_words_are_kept(said: str, shown: str) -> None:
    """Colours, titles, the clipboard, the cursor: nothing of them; every letter of any language."""
    assert harmless(said) == shown


@given(st.text(st.characters() | st.sampled_from("\x1b\x9b\x9d[]0;\x07m\\"), max_size=200))
def test_nothing_harmful_is_left(said: str) -> None:
    """Whatever is said: no control character but tab and line feed, no lone surrogate, nothing that turns a line."""
    shown = harmless(said)
    assert not [c for c in shown if c not in _KEPT and unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(shown) & set(_TURNING)
    assert harmless(shown) == shown
    assert shown.encode().decode() == shown


@pytest.mark.parametrize("start", ["\x9d", "\x1b]", "\x1b[", "\x9b1;"])
def test_long_nonsense_is_read_once(start: str) -> None:
    """A megabyte of beginnings of commands is not searched from each beginning, which would take hours."""
    assert "\x1b" not in harmless(start * 300_000)


@given(st.text(max_size=300), st.integers(1, 50))
def test_a_line_is_one_line_of_limited_length(said: str, longest: int) -> None:
    """For subjects, logs and lists."""
    line = one_line(said, longest)
    assert len(line.splitlines()) <= 1
    assert len(line) <= longest + 1
