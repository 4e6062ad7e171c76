"""Many small files in one stream: GNU tar there, taken apart here; each is checked as if it had come alone.

One file after the other costs two round trips each, and 10,000 of them minutes. Where there is no GNU tar nothing
comes this way.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
from typing import TYPE_CHECKING

from project.adapters.ssh.conversation import Conversation, Marker
from project.adapters.ssh.shell_line import shell_line
from project.adapters.ssh.tar_stream import members
from project.core.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    import paramiko

    from project.ports import RemoteFile

#: Names sent at a time: less than fits on the way (OpenSSH's window is 2 MiB), so that sending them never waits for
#: tar, which waits for us to read.
_NAMES_BYTES = 512 * 1024

#: How long the far side may take to begin.
_START_LIMIT_S = 60.0

_SEND = """
cd {folder} || exit 1
TAR_OPTIONS=; export TAR_OPTIONS
{begin}; exec tar -c -f - -b 128 --format=gnu --no-recursion --dereference --hard-dereference --null -T -
"""


class ManyFiles:
    """Streams of files.

    Args:
        start: starts a command line on a channel of its own.
        host: how messages call the other side.
    """

    def __init__(self, start: Callable[[str], paramiko.Channel], host: str) -> None:
        self._start = start
        self._host = host

    def fetch(self, files: Mapping[bytes, RemoteFile]) -> Iterator[tuple[bytes, bytes]]:
        """Yield path and content of those files, by path, whose content is what it should be; pass over the others.

        Raises:
            Unreachable: the connection broke.
        """
        folder = _folder_of(files)
        below = {b"./" + path.removeprefix(folder): path for path in files}
        for names in _batches(below):
            for name, content in self._stream(folder, names):
                path = below.get(name, b"")
                if path and hashlib.sha256(content).hexdigest() == files[path].sha256:
                    yield path, content

    def _stream(self, folder: bytes, names: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Yield name and content of what tar sends."""
        begin = Marker()
        script = _SEND.format(folder=shlex.quote(folder.decode(errors="surrogateescape")), begin=begin.command)
        with contextlib.closing(Conversation(self._start(shell_line(script)), self._host)) as talk:
            try:
                talk.read_past(begin.line, _START_LIMIT_S)
                talk.send(b"".join(name + b"\0" for name in names))
            except Unreachable:
                talk.exit_status()  # raises if the connection broke; else there is no such folder, or no tar
                return
            talk.send_end()
            yield from members(talk.rest())
            talk.exit_status()


def _folder_of(paths: Collection[bytes]) -> bytes:
    """Return the folder, with a slash, that all paths begin with as they are written."""
    folder = os.path.commonpath([path.rpartition(b"/")[0] or b"/" for path in paths]).rstrip(b"/") + b"/"
    return folder if all(path.startswith(folder) for path in paths) else b"/"


def _batches(names: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for name in names:
        if batch and size + len(name) > _NAMES_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += len(name) + 1
    if batch:
        yield batch
