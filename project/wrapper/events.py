"""What the wrapper tells the client that started it, one JSON line each on standard output."""

import json
import os
import select
from typing import Any

from project.core.errors import GridferryError, as_told
from project.core.messages import LINE_PREFIX, Document

#: A reader that takes nothing for so long has gone; the work does not wait for it.
PATIENCE_S = 20.0
#: A pipe that select() calls writable takes this much without blocking (PIPE_BUF, pipe(7)).
CHUNK_BYTES = 4096


class Events:
    """Lines for the client; once it has gone they go nowhere, and the work goes on.

    Args:
        descriptor: where to write.
        patience_s: how long a reader may take nothing until it counts as gone.
    """

    def __init__(self, descriptor: int, patience_s: float = PATIENCE_S) -> None:
        self._descriptor = descriptor
        self._patience_s = patience_s
        self._gone = False

    @property
    def gone(self) -> bool:
        """Whether nobody reads any more."""
        return self._gone

    def entry(self, entry: Document) -> None:
        """A journal entry was written."""
        self.send("entry", entry=entry)

    def output(self, stage: str, line: str) -> None:
        """A command of the user printed a line."""
        self.send("output", stage=stage, line=line)

    def end(self, **result: Any) -> None:
        """That was all, and well."""
        self.send("end", **result)

    def error(self, error: GridferryError) -> None:
        """It ended with an error, told by the name it has in core.errors, which the client knows, too."""
        self.send("error", **as_told(error))

    def send(self, event: str, **fields: Any) -> None:
        """Print one line."""
        if self._gone:
            return
        line = LINE_PREFIX + json.dumps(dict(fields, event=event)) + "\n"
        try:
            self._write(line.encode())
        except OSError:
            self._gone = True

    def _write(self, data: bytes) -> None:
        """Write all of it, waiting a while for a slow connection and not for one that hangs."""
        while data:
            _, writable, _ = select.select([], [self._descriptor], [], self._patience_s)
            if not writable:
                raise OSError("nobody reads any more")
            data = data[os.write(self._descriptor, data[:CHUNK_BYTES]) :]
