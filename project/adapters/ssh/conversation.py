"""Talking with a program at the far end of a channel: what to send it, and to find its answers among noise."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from typing import TYPE_CHECKING, cast

from project.core.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import paramiko

    from project.adapters.ssh.session import Session

_CHUNK_BYTES = 64 * 1024

#: How much of what is printed on standard error is kept for messages.
_TAIL_BYTES = 4096

#: How often a wait looks up: is time over, has the program ended?
_LOOK_UP_S = 0.5

#: How long the other side may take no byte of what it is sent: disks hang now and then, and a dead line shows sooner.
_STALL_LIMIT_S = 600.0

#: More than any answer to our scripts and any line of our programs: 10,000 files are listed in 3 MB.
_LONGEST_BYTES = 128 * 1024 * 1024

#: How long output is awaited that may still be on its way when the program has ended but its output has not.
_PATIENCE_S = 4.0


class Conversation:
    """The two ends of one program's standard input, output and error.

    Args:
        channel: where the program has just been started.
        host: how messages call the other side.
    """

    def __init__(self, channel: paramiko.Channel, host: str) -> None:
        self._channel = channel
        self._host = host
        self._received = bytearray()
        self._errors = bytearray()
        channel.settimeout(_LOOK_UP_S)
        self._listener = threading.Thread(target=self._keep_errors, daemon=True, name=f"standard error from {host}")
        self._listener.start()

    @property
    def error_tail(self) -> str:
        """The end of what was printed on standard error so far."""
        return self._errors.decode(errors="replace").strip()

    def send(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            Unreachable: the other side reads no more.
        """
        deadline = time.monotonic() + _STALL_LIMIT_S
        while data:
            try:
                data = data[self._channel.send(data) :]
                deadline = time.monotonic() + _STALL_LIMIT_S
            except TimeoutError as error:
                if time.monotonic() > deadline:
                    raise self.broken("stopped reading") from error
            except (OSError, EOFError) as error:  # EOFError: paramiko's word for a connection that was closed
                self._hear_out()
                raise self.broken("ended before it had answered") from error

    def send_end(self) -> None:
        """Close the program's standard input."""
        with contextlib.suppress(OSError, EOFError):  # it ended by itself
            self._channel.shutdown_write()

    def read_past(self, marker: bytes, limit_s: float) -> bytes:
        """Return what comes before `marker`, and forget both.

        Raises:
            Unreachable: it does not come within `limit_s`.
        """
        deadline = time.monotonic() + limit_s
        searched = 0
        while (found := self._received.find(marker, max(0, searched - len(marker)))) < 0:
            searched = len(self._received)
            if self._receive() is None:
                raise self.broken("ended before it had answered")
            if time.monotonic() > deadline:
                self.close()
                raise self.broken(f"did not answer within {limit_s:g} s")
            if searched > _LONGEST_BYTES:
                self.close()
                raise self.broken("answers without end")
        before = bytes(self._received[:found])
        del self._received[: found + len(marker)]
        return before

    def rest(self) -> Iterator[bytes]:
        """Yield what comes until the program ends, as it comes.

        Something that the program left behind may hold its output open: it is not waited for. A line that stands
        still is: the end of a program is told before the last of what it printed.
        """
        quiet_s, was_heard = 0.0, False
        while True:
            if self._received:
                yield bytes(self._received)
                self._received.clear()
                quiet_s, was_heard = 0.0, False
            size = self._receive()
            if size is None or (size == 0 and was_heard):
                return
            if size == 0 and self._channel.exit_status_ready():
                quiet_s += _LOOK_UP_S
            if quiet_s >= _PATIENCE_S:
                cast("Session", self._channel.get_transport()).hear_a_word()
                was_heard = True

    def lines(self) -> Iterator[bytes]:
        """Yield lines as soon as they are whole, without their ends; the last one even if it has none.

        Raises:
            Unreachable: a line has no end.
        """
        parts: list[bytes] = []
        length = 0
        for chunk in self.rest():
            first, *others = chunk.split(b"\n")
            parts.append(first)
            length += len(first)
            if length > _LONGEST_BYTES:
                self.close()
                raise self.broken("prints a line without end")
            if others:
                yield b"".join(parts)
                yield from others[:-1]
                parts, length = [others[-1]], len(others[-1])
        if length:
            yield b"".join(parts)

    def exit_status(self) -> int:
        """Wait for the program's end and return its exit status, -1 if a signal ended it.

        Raises:
            Unreachable: the connection broke before.
        """
        status = self._channel.recv_exit_status()
        self.close()
        self._listener.join(_PATIENCE_S)  # so that the last words are heard
        if status < 0 and not self._channel.eof_received:  # a server that hangs up in order says so first
            raise self.broken("was cut off")
        return status

    def close(self) -> None:
        """End the program if it is still there."""
        self._channel.close()

    def broken(self, what: str) -> Unreachable:
        """Return the error to raise, with the last words that were heard."""
        said = self._received[-_TAIL_BYTES:].decode(errors="replace")
        return Unreachable(
            f"The shell on {self._host} {what}.",
            "Check your network, and that you can run commands there with ssh.",
            f"{said}\n{self.error_tail}".strip(),
        )

    def _hear_out(self) -> None:
        """Take in the last words of a program that is ending: they say why."""
        deadline = time.monotonic() + _PATIENCE_S
        while self._receive() is not None and time.monotonic() < deadline:
            pass

    def _receive(self) -> int | None:
        """Take in what has come; return its size, 0 after a quiet moment, None at the end."""
        try:
            chunk = self._channel.recv(_CHUNK_BYTES)
        except TimeoutError:
            return 0
        if not chunk:
            self._channel.status_event.wait(_LOOK_UP_S)
            return None
        self._received += chunk
        return len(chunk)

    def _keep_errors(self) -> None:
        """Drain standard error, so that it can never fill the channel and stop the program."""
        while True:
            with contextlib.suppress(TimeoutError):
                chunk = self._channel.recv_stderr(_CHUNK_BYTES)
                if not chunk:
                    return
                self._errors = (self._errors + chunk)[-_TAIL_BYTES:]


class Marker:
    """A line that nothing else prints; sent in two halves, so that even an echo of it is not taken for it."""

    def __init__(self) -> None:
        self._halves = secrets.token_hex(8), secrets.token_hex(8)

    @property
    def line(self) -> bytes:
        """How it comes back."""
        return "\n{}{}\n".format(*self._halves).encode()

    @property
    def command(self) -> str:
        """What prints it, in the language of `/bin/sh`."""
        return r"printf '\n%s%s\n' {} {}".format(*self._halves)

    def document(self, script: str) -> str:
        """Return `script` as a here-document that no line of it can end."""
        end = "end-{}-{}".format(*self._halves)
        return f"<<'{end}'\n{script}\n{end}"
