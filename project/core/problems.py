"""Problems of a file someone wrote: all of them at once, each with its place and its remedy."""

from typing import Iterable, List, NamedTuple, Optional, Sequence

from project.core.errors import InvalidInput

_CLOSE_ENOUGH = 0.7
#: So many letters must be the same for the beginning of a word to say something.
_TELLING = 3


class Problem(NamedTuple):
    """One thing wrong.

    Attributes:
        key: dotted path of the key (`resources.duration`), "" for the file as a whole.
        message: what is wrong.
        remedy: what would be right.
        line: line in the file, starting at 1; None when it has none (`--set`, a module's answer).
    """

    key: str
    message: str
    remedy: str
    line: Optional[int] = None

    def render(self, source: str) -> str:
        """One line for the terminal: `job.yml:12: resources.duration: … (write …)`."""
        place = source if self.line is None else f"{source}:{self.line}"
        key = f"{self.key}: " if self.key else ""
        return f"{place}: {key}{self.message}. {self.remedy}".rstrip()


class InvalidDocument(InvalidInput):
    """A file has problems; carries them all.

    Attributes:
        counted: how many there are, and where.
        source: the file's name.
        problems: all of them.
    """

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        listed = "\n".join(problem.render(source) for problem in problems)
        self.counted = f"{count} in {source}"
        super().__init__(f"{self.counted}; nothing was done", detail=listed)
        self.source = source
        self.problems: List[Problem] = list(problems)


def in_order(problems: Iterable[Problem]) -> List[Problem]:
    """Return problems in the order of the file; those without a line come last."""
    return sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0))


def nearest(word: str, known: Iterable[str]) -> Optional[str]:
    """Return the known word most like `word`, compared by its last part; None if none is close."""
    tail = word.rsplit(".", 1)[-1]
    if not tail:
        return None
    scored = [(_likeness(tail, candidate.rsplit(".", 1)[-1]), candidate) for candidate in known]
    best, candidate = max(scored, default=(0.0, ""))
    return candidate if best >= _CLOSE_ENOUGH else None


def _likeness(word: str, other: str) -> float:
    """1 for the same, 0.8 where one begins the other, else difflib's ratio."""
    if min(len(word), len(other)) >= _TELLING and (other.startswith(word) or word.startswith(other)):
        return 1.0 if word == other else 0.8
    from difflib import SequenceMatcher  # noqa: PLC0415 - only a word that is wrong needs it

    return SequenceMatcher(None, word, other).ratio()
