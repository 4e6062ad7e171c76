"""Placeholders of a campaign: `{file}` in commands and outputs stands for the value each task has of its own.

In commands a value is never pasted into shell text: the placeholder becomes the variable that holds it, such as
`$TASK_FILE`, written so that it stays one word wherever it stands: bare, quoted, in `$(…)`, in a here-document.
`{{file}}` keeps its braces. A `{word}` in single quotes that is no placeholder is left alone, for awk and its like.
"""

import re
from typing import Callable, Container, List, Mapping

#: The placeholder every campaign has: a task's number.
INDEX = "index"
_VARIABLE = "TASK_"
_PLACEHOLDER = re.compile(r"\{\{([A-Za-z]\w*)\}\}|(?<!\$)\{([A-Za-z]\w*)\}", re.ASCII)

_ESCAPED = r"(?P<escaped>\\.)"
_BRACED = r"(?P<placeholder>\{\{[A-Za-z]\w*\}\}|(?<!\$)\{[A-Za-z]\w*\})"
_PLAIN_TOKENS = (
    _ESCAPED, _BRACED, "<<<", r"<<(?P<tabs>-?)[ \t]*(?P<quote>\\|['\"]?)(?P<delimiter>[A-Za-z_]\w*)['\"]?",
    r"(?P<opens>\$'|\$\(\(|\(\(|\$\(|\(|['\"`])", r"(?<!\S)\#[^\n]*", r"(?P<line>\n)",
)  # fmt: skip


def _tokens(*alternatives: str) -> "re.Pattern[str]":
    return re.compile("|".join((*alternatives, ".")), re.DOTALL | re.ASCII)


_PLAIN = ""
#: What counts in each context; one that is not named here is read as plain text.
_TOKENS = {
    _PLAIN: _tokens(*_PLAIN_TOKENS),
    "'": _tokens(_BRACED),
    "$'": _tokens(_ESCAPED, _BRACED),
    '"': _tokens(_ESCAPED, _BRACED, r"(?P<opens>\$\(\(|\$\(|`)"),
}
#: What ends each context that something opens.
_ENDS = {"'": "'", '"': '"', "`": "`", "$'": "'", "$((": "))", "((": "))", "$(": ")", "(": ")"}
#: How a variable is written so that its value stays one word; in other contexts in double quotes.
_WRITTEN = {"'": "'\"${{{}}}\"'", "$'": "'\"${{{}}}\"$'", '"': "${{{}}}", "$((": "${{{}}}", "((": "${{{}}}"}


def variable(name: str) -> str:
    """Return the environment variable that holds a placeholder's value: `TASK_FILE` for `{file}`."""
    return _VARIABLE + name.upper()


def names_in(text: str) -> List[str]:
    """Return the placeholders of an output, known or not."""
    return [match.group(2) for match in _PLACEHOLDER.finditer(text) if match.group(2)]


def fill(text: str, values: Mapping[str, str], escape: Callable[[str], str] = lambda value: value) -> str:
    """Return an output with a task's values in it.

    Args:
        text: with placeholders.
        values: by name; one that is not there stays as it stands.
        escape: applied to each value, such as `glob.escape`.
    """

    def value_of(match: "re.Match[str]") -> str:
        kept, name = match.groups()
        return "{" + kept + "}" if kept else escape(values[name]) if name in values else str(match.group(0))

    return _PLACEHOLDER.sub(value_of, text)


class ShellText:
    """Shell text with its placeholders written as variables.

    Args:
        text: lines of shell.
        names: placeholders there are.

    Attributes:
        written: the text to run.
        unknown: what looks like a placeholder, stands where the shell knows no braces, and is none.
        out_of_reach: placeholders in a here-document whose quoted delimiter keeps the shell from filling them in.
    """

    def __init__(self, text: str, names: Container[str]) -> None:
        self.unknown: List[str] = []
        self.out_of_reach: List[str] = []
        self._names = names
        self._contexts = [_PLAIN]
        self._documents: List[Mapping[str, str]] = []
        self._parts: List[str] = []
        position = 0
        while position < len(text):
            position = self._take(text, position)
        self.written = "".join(self._parts)

    def _take(self, text: str, position: int) -> int:
        """Write the token at `position`, follow it into or out of a context; return where the next one begins."""
        context = self._contexts[-1]
        end = _ENDS.get(context)
        if end and text.startswith(end, position):
            self._contexts.pop()
            self._parts.append(end)
            return position + len(end)
        token = _TOKENS.get(context, _TOKENS[_PLAIN]).match(text, position)
        assert token is not None  # noqa: S101 - its last alternative matches any character
        found = {name: value for name, value in token.groupdict().items() if value is not None}
        written = token.group(0)
        if "placeholder" in found:
            written = self._written(written, context)
        elif "opens" in found:
            self._contexts.append(written)
        elif "delimiter" in found and "((" not in context:
            self._documents.append(found)
        self._parts.append(written)
        return self._read_documents(text, token.end()) if "line" in found else token.end()

    def _written(self, placeholder: str, context: str) -> str:
        name = placeholder.strip("{}")
        if placeholder.startswith("{{"):
            return "{" + name + "}"
        if name in self._names:
            return _WRITTEN.get(context, '"${{{}}}"').format(variable(name))
        if context not in ("'", "$'"):
            self.unknown.append(name)
        return placeholder

    def _read_documents(self, text: str, position: int) -> int:
        """Write the here-documents that begin at `position`; return where they end."""
        for document in self._documents:
            while position < len(text):
                line, newline, _ = text[position:].partition("\n")
                position += len(line) + len(newline)
                self._parts.append(self._line_of(document, line) + newline)
                if (line.lstrip("\t") if document["tabs"] else line) == document["delimiter"]:
                    break
        self._documents = []
        return position

    def _line_of(self, document: Mapping[str, str], line: str) -> str:
        known = [name for name in names_in(line) if name in self._names]
        if document["quote"]:
            self.out_of_reach += known
            return line
        return _PLACEHOLDER.sub(lambda match: self._written(str(match.group(0)), '"'), line)
