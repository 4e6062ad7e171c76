"""Whole files through a shell, for login nodes without SFTP."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from typing import TYPE_CHECKING

from project.adapters.ssh.ahead import ahead
from project.adapters.ssh.conversation import Conversation, Marker
from project.adapters.ssh.files import (
    LARGE_BYTES,
    NotThere,
    forbidden,
    longer_than_promised,
    no_space,
    part_of,
    told,
)
from project.adapters.ssh.shell_line import shell_line
from project.core.errors import TransferFailed, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import paramiko

    from project.adapters.ssh.files import Tell
    from project.adapters.ssh.source import Source

#: Exit statuses of the scripts below that mean something of their own.
_NOT_THERE, _TOO_LONG = 44, 45
_NUMBERS = {"not_there": _NOT_THERE, "too_long": _TOO_LONG}

#: What the far side says when it has the same content in place already.
_THERE = "there"

#: How long the far side may take to hash what an earlier try left, or to take in the last of what it is sent.
_DISK_LIMIT_S = 600.0

_BLOCK_BYTES = 128 * 1024

#: Reads the hash of standard input with whatever can tell it.
SHA256 = "{ sha256sum || shasum -a 256 || openssl dgst -sha256; } 2>/dev/null"

#: Tells what an earlier try left, is told where to go on, takes the content in, and puts it in place if told so.
_PUT = """
umask 077
[ -d {directory} ] || exit {not_there}
lose() {{ rm -f {part}; exit 1; }}
if [ {size} -ge {large} ] && [ -f {target} ] && [ "$(wc -c <{target})" -eq {size} ]; then
    case $({sha256} <{target}) in *{whole}*) {begin}; echo there; {end}; exit 0;; esac
fi
have=0 hash=
if [ -s {part} ]; then have=$(wc -c <{part}); hash=$({sha256} <{part}); fi
: >>{part} || exit 1
{begin}; printf '%d %s\\n' $have "$hash"; {end}
read -r start
[ "$start" = "$((have))" ] || : >{part}
head -c $(({size} - start)) >>{part} || lose
read -r verdict
[ "$verdict" = wrong ] && lose
[ "$verdict" = whole ] && [ "$(wc -c <{part})" -eq {size} ] || exit 1
chmod {mode} {part} && mv -f {part} {target} && {done} || lose
"""

#: Prints a file from a byte on (counted from 1), the whole of which is so long.
_FETCH = """
[ -f {path} ] || exit {not_there}
[ "$(wc -c <{path})" -le {size} ] || exit {too_long}
{begin}; exec tail -c +{first} <{path}
"""

_HEAD = """
[ -f {path} ] || exit {not_there}
{begin}; exec head -c {limit} <{path}
"""


class StreamFiles:
    """Implements `Files` with one command for each file.

    Args:
        start: starts a command line on a channel of its own.
        host: how messages call the other side.
    """

    def __init__(self, start: Callable[[str], paramiko.Channel], host: str) -> None:
        self._start = start
        self._host = host

    def put(self, source: Source, target: bytes, mode: int, tell: Tell) -> None:
        """See `Files`."""
        begin, end, done = Marker(), Marker(), Marker()
        part = part_of(target, source)
        words = {"part": part, "target": target, "directory": target.rpartition(b"/")[0] or b"/"}
        script = _PUT.format(
            **_quoted(words),
            **_NUMBERS,
            mode=f"{mode:o}",
            size=source.size,
            large=LARGE_BYTES,
            sha256=SHA256,
            whole=source.sha256,
            begin=begin.command,
            end=end.command,
            done=done.command,
        )
        with self._running(script, target) as talk:
            talk.read_past(begin.line, _DISK_LIMIT_S)
            answer = talk.read_past(end.line, _DISK_LIMIT_S).decode()
            if answer.startswith(_THERE):
                tell(source.size)
                return
            _send(talk, source, _agreed_start(answer, source), tell)
            talk.read_past(done.line, _DISK_LIMIT_S)

    def fetch(self, path: bytes, start: int, size: int) -> Iterator[bytes | memoryview]:
        """See `Files`."""
        yield from self._content(_FETCH, path, size=size, first=start + 1)

    def head(self, path: bytes, limit: int) -> bytes:
        """See `Files`."""
        return b"".join(self._content(_HEAD, path, limit=limit))

    def _content(self, script: str, path: bytes, **numbers: int) -> Iterator[bytes]:
        """Yield what a script prints after its marker."""
        begin = Marker()
        filled = script.format(**_quoted({"path": path}), **_NUMBERS, **numbers, begin=begin.command)
        with self._running(filled, path) as talk:
            talk.read_past(begin.line, _DISK_LIMIT_S)
            yield from talk.rest()
            if talk.exit_status():
                raise talk.broken("stopped in the middle")

    @contextlib.contextmanager
    def _running(self, script: str, path: bytes) -> Iterator[Conversation]:
        """Run a script; when it ends too early, say why."""
        talk = Conversation(self._start(shell_line(script)), self._host)
        try:
            yield talk
        except Unreachable as error:
            raise _reason(talk.exit_status(), os.fsdecode(path), talk.error_tail) from error
        finally:
            talk.close()


def _send(talk: Conversation, source: Source, start: int, tell: Tell) -> None:
    """Send a content from `start` on, and whether it was what it should be."""
    talk.send(b"%d\n" % start)
    try:
        for block in told(ahead(source.blocks(start, _BLOCK_BYTES)), start, tell):
            talk.send(block)
    except TransferFailed:  # it changed meanwhile
        talk.send(b"wrong\n")
        raise
    talk.send(b"whole\n")


def _quoted(words: dict[str, bytes]) -> dict[str, str]:
    return {name: shlex.quote(word.decode(errors="surrogateescape")) for name, word in words.items()}


def _agreed_start(answer: str, source: Source) -> int:
    """Return where to go on: behind what is there if that is the beginning of `source`, else at 0."""
    match = re.match(r"(\d+) .*\b([0-9a-f]{64})\b", answer)
    size = int(match[1]) if match else 0
    return size if match and size <= source.size and match[2] == source.sha256_of_first(size) else 0


def _reason(status: int, path: str, errors: str) -> Exception:
    if status == _NOT_THERE:
        return NotThere()
    if status == _TOO_LONG:
        return longer_than_promised(path)
    if "No space left" in errors:
        return no_space(path, errors)
    if "Permission denied" in errors:
        return forbidden(path, errors)
    return TransferFailed(f"{path} on the cluster: the transfer ended early.", "Perhaps a quota is used up.", errors)
