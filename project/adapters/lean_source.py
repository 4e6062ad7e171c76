"""Leaves out of a Python source what only people and type checkers read; every line stays where it stands."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What stands before a token that begins a statement; a string there is a docstring.
_STATEMENT_STARTS = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)


class _Cut(NamedTuple):
    """Bytes `start` to `end` of a line, counted from 0."""

    line: int
    start: int
    end: int


def lean(source: bytes) -> bytes:
    """Return a source without comments, docstrings and what its functions say of types.

    Line numbers in a traceback stay true. Nothing of ours asks a function for its types when it runs.
    """
    return _without_prose(_without_types(source))


def _without_types(source: bytes) -> bytes:
    lines = source.splitlines()
    for cut in sorted(_types(ast.parse(source), lines), reverse=True):
        line = lines[cut.line]
        lines[cut.line] = line[: cut.start] + line[cut.end :]
    return b"\n".join([*lines, b""])


def _types(tree: ast.AST, lines: list[bytes]) -> Iterator[_Cut]:
    """Yield where functions say the types of their arguments and results, each on one line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            named = node.col_offset + len(node.arg.encode())
            yield from _cut(node.lineno, named, node.annotation)
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            said = lines[node.returns.lineno - 1][: node.returns.col_offset]
            yield from _cut(node.returns.lineno, len(said[: said.rindex(b"->")].rstrip()), node.returns)


def _cut(row: int, start: int, said: ast.expr) -> Iterator[_Cut]:
    if row == said.lineno == said.end_lineno and said.end_col_offset is not None:
        yield _Cut(row - 1, start, said.end_col_offset)


def _without_prose(source: bytes) -> bytes:
    lines = source.decode().splitlines()
    previous = tokenize.NEWLINE
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        (row, column), (end_row, end_column) = token.start, token.end
        if token.type == tokenize.COMMENT:
            lines[row - 1] = lines[row - 1][:column].rstrip()
        elif (
            token.type == tokenize.STRING and previous in _STATEMENT_STARTS and _ends_line(lines, end_row, end_column)
        ):
            lines[row - 1 : end_row] = [f'{lines[row - 1][:column]}""', *[""] * (end_row - row)]
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            previous = token.type
    return "\n".join([*lines, ""]).encode()


def _ends_line(lines: list[str], row: int, column: int) -> bool:
    return not lines[row - 1][column:].strip()
