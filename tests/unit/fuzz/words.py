"""What the properties are tried with: words that have broken parsers before, and documents made of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

#: Digits that are none for `int`, numbers too long for it, ends of lines of other scripts, halves of characters.
ODD = (
    "²", "\u0661", "0" * 400 + "1", "9" * 400, "9" * 5000, "-1", "1_0", "1e999", "1.0e999", "nan", "-0",
    "\x00", "a\x00b", "\ud800", "\udcff", "\u2028", "\x85", "\x1c", "\x1f", "\x7f", "\x1b]0;x\x07", "\r\n",
    "-rf", "--upload-pack=x", "$(id)", "`id`", "${x@P}", "'", '"', "\\", "|", ";", "&&", "<b>", "../..",
    "/etc/passwd", "~root", "%s", "{0}", "{{", "}}", "*" * 60, "a" * 300, "(null)", "N/A", "Unknown", "[",
    "[1-", "1-2-3", "1-999999999", "0-99999999999999999999", "°",
)  # fmt: skip

#: One word: odd, ordinary or any text.
WORDS = st.sampled_from(ODD) | st.text(max_size=20) | st.integers(-(10**30), 10**30).map(str)
#: Any bytes that may stand in a file, odd words among them.
BYTES = st.binary(max_size=200) | st.lists(WORDS, max_size=8).map(
    lambda words: " ".join(words).encode("utf-8", "surrogatepass")
)
#: What JSON can say.
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def cut_up(*samples: str) -> st.SearchStrategy[str]:
    """Real texts in which something was cut out, doubled or replaced by odd words."""

    @st.composite
    def changed(draw: st.DrawFn) -> str:
        text = draw(st.sampled_from(samples))
        for _ in range(draw(st.integers(0, 4))):
            begin = draw(st.integers(0, len(text)))
            end = min(len(text), begin + draw(st.integers(0, 12)))
            text = text[:begin] + draw(WORDS | st.just("") | st.just(text[begin:end] * 2)) + text[end:]
        return text

    return changed()
