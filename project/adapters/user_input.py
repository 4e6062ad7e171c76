"""Reads YAML as people mean it, and remembers the line of every key.

`1:30:00` stays text (YAML 1.1 would make it 5400), dates stay text, only true and false are booleans, keys are text
whatever they look like, and a key given twice is a problem instead of a silent overwrite.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from project.core.errors import UsageError
from project.core.job_file.fields import NEVER_ON_COMMAND_LINES
from project.core.problems import InvalidDocument, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MAX_BYTES = 2_000_000
#: What a file may come to once aliases are written out.
_MAX_CHARS = 2 * _MAX_BYTES
_NO_JSON = "it holds something that JSON cannot express"
_PLAIN = "Use texts, numbers, true and false, lists and groups, and nothing that refers to itself"
_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's way

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT002 - PyYAML's
        """Return the mapping with keys as JSON has them."""
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                key.tag = _TEXT
        return super().construct_mapping(node, deep)


_SCALARS = (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),  # 0123 is somebody's account, not 83
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("merge", r"^(?:<<)$", "<"),
)
for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), ["" if c == "\0" else c for c in _first]
    )


@dataclass
class LoadedFile:
    """A YAML file.

    Attributes:
        source: its name, for messages.
        document: what it says.
        lines: line (from 1) of each dotted key.
        folder: where relative paths in it start.
    """

    source: str
    document: Any
    folder: Path
    lines: dict[str, int] = field(default_factory=dict)


def load(path: Path) -> LoadedFile:
    """Read a YAML file.

    Raises:
        UsageError: it cannot be read.
        InvalidDocument: it is not YAML, or a key stands twice.
    """
    try:
        text = _read(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="Check its name and rights") from error
    except UnicodeDecodeError as error:
        problem = Problem("", f"byte {error.start} is not UTF-8", "Save the file as UTF-8")
        raise InvalidDocument(str(path), [problem]) from error
    loaded = LoadedFile(str(path), None, path.resolve().parent)
    problems: list[Problem] = []
    try:
        loaded.document = _parsed(text, lambda node: _note_lines(node, (), loaded.lines, problems))
    except yaml.YAMLError as error:
        problems.append(_syntax_problem(error))
    except (RecursionError, TypeError, ValueError):
        problems.append(Problem("", _NO_JSON, _PLAIN))
    if problems:
        raise InvalidDocument(loaded.source, problems)
    return loaded


def _parsed(text: str, look: Callable[[yaml.Node], None] = lambda _: None) -> Any:
    """Return what a text says, None if nothing, after a look at its nodes.

    Raises:
        yaml.YAMLError: it is not YAML.
        RecursionError, TypeError, ValueError: it cannot travel as JSON, or would be endless.
    """
    loader = _Loader(text)
    node = loader.get_single_node()
    if node is None:
        return None
    _written_out(node, {})
    look(node)
    document = loader.construct_document(node)
    json.dumps(document, allow_nan=False, ensure_ascii=False).encode()  # which is how it travels
    return document


def _written_out(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many characters and values a node comes to with its aliases written out.

    Raises:
        ValueError: too many: a few lines can stand for billions, or for themselves.
    """
    if id(node) not in known:
        known[id(node)] = _MAX_CHARS  # until it is known: what holds itself has no end
        inner = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        is_leaf = isinstance(node, yaml.ScalarNode)
        known[id(node)] = 1 + (len(inner) if is_leaf else sum(_written_out(part, known) for part in inner))
    if known[id(node)] >= _MAX_CHARS:
        raise ValueError(_NO_JSON)
    return known[id(node)]


def _read(path: Path) -> str:
    with path.open("rb") as stream:
        content = stream.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise UsageError(f"{path} is longer than {_MAX_BYTES} bytes", remedy="Is it the right file?")
    return content.decode("utf-8")


def _note_lines(node: yaml.Node, path: tuple[str, ...], lines: dict[str, int], problems: list[Problem]) -> None:
    """Remember where each key stands, and find those that stand twice."""
    if not isinstance(node, yaml.MappingNode):
        return
    for key_node, value_node in node.value:
        inner = (*path, str(key_node.value))
        key, line = ".".join(inner), key_node.start_mark.line + 1
        if key in lines:
            problems.append(Problem(key, f"this key stands in line {lines[key]} already", "Keep one of them", line))
        lines[key] = line
        _note_lines(value_node, inner, lines, problems)


def _syntax_problem(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error)
    line = None if mark is None else mark.line + 1
    return Problem("", f"this is not YAML: {said}", "Look at the indentation, colons and quotes there", line)


def settings_alone(settings: Sequence[str]) -> dict[str, Any]:
    """Return what `--set` says where there is no file (UsageError as below)."""
    given = LoadedFile("", {}, Path())
    apply_settings(given, settings)
    return dict(given.document)


def apply_settings(loaded: LoadedFile, settings: Sequence[str]) -> None:
    """Apply `--set key=value` (dotted keys, values read as YAML) on top of what the file says.

    Raises:
        UsageError: one of them is not `key=value`, or is a secret.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise UsageError(
                f"--set {setting!r} is not key=value", remedy="Write it like --set resources.duration=10m"
            )
        if not key.isprintable():
            raise UsageError(f"--set {key!r}: this is no key", remedy="Write it like --set resources.duration=10m")
        if key.strip() in NEVER_ON_COMMAND_LINES:
            raise UsageError(
                f"{key.strip()} is a secret, and every user of this machine can read command lines",
                remedy="Leave it out: you are asked for it without echo if needed (or add the key to your agent)",
            )
        try:
            value = _parsed(text)
        except yaml.YAMLError as error:
            raise UsageError(f"the value of --set {key} is not YAML", remedy="Put it into quotes") from error
        except (RecursionError, TypeError, ValueError) as error:
            raise UsageError(f"the value of --set {key}: {_NO_JSON}", remedy=_PLAIN) from error
        if not isinstance(loaded.document, dict):
            loaded.document = {}
        _put(loaded.document, key.strip().split("."), value)
        loaded.lines.pop(key.strip(), None)


def _put(document: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        if not isinstance(document.get(name), dict):
            document[name] = {}
        document = document[name]
    document[path[-1]] = value
