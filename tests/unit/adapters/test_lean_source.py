"""What is left of a source that nobody reads."""

from __future__ import annotations

import ast

import pytest

from project.adapters.lean_source import lean


@pytest.mark.parametrize(
    ("source", "left"),
    [
        (
            "def f(a: int, b: List[str] = [], *c: str, **d: Any) -> str: return a",
            "def f(a, b = [], *c, **d): return a",
        ),
        ("def é(ä: str = 'ö: str') -> 'str': pass", "def é(ä = 'ö: str'): pass"),
        ("def f(*, key: Callable[[int], str]=str) -> None: ...", "def f(*, key=str): ..."),
        ("f = lambda a: {'-> x': a}  # -> y", "f = lambda a: {'-> x': a}"),
        (
            'def f():\n    """Say\n    more."""\n    return "# no comment"',
            'def f():\n    ""\n\n    return "# no comment"',
        ),
        ('x = {"a": 1}  # type: ignore\ny: int = 3', 'x = {"a": 1}\ny: int = 3'),
        ("class A(NamedTuple):\n    a: int = 0  #: of it", "class A(NamedTuple):\n    a: int = 0"),
        ("def f(a: Union[\n    int, str\n]) -> int: ...", "def f(a: Union[\n    int, str\n]): ..."),
    ],
)
def test_only_what_runs_is_left(source: str, left: str) -> None:
    """No comment, docstring or type of a function; strings, fields and defaults stay, each on its line."""
    assert lean(source.encode()).decode() == f"{left}\n"
    ast.parse(left)
