"""A `/bin/sh` on the login node that is fed scripts and answers between markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project.adapters.ssh.conversation import Conversation, Marker

if TYPE_CHECKING:
    from collections.abc import Iterator

    import paramiko

#: How long the shell may take until it runs a first script: a login node's start-up files can be slow.
_START_LIMIT_S = 60.0


class SshShell:
    """Implements `project.ports.Shell` over one channel.

    A script travels as a here-document with a random end, so it may hold anything, and runs with an empty standard
    input, so it cannot swallow the next one. What it prints is found between random markers, whatever start-up files
    and banners print around it.

    Args:
        channel: where `/bin/sh` has just been started.
        host: how messages call the other side.

    Attributes:
        exit_status: of the script that `become` ran, once it has ended; None before, -1 if a signal ended it.
    """

    def __init__(self, channel: paramiko.Channel, host: str) -> None:
        self.exit_status: int | None = None
        self._talk = Conversation(channel, host)

    @property
    def error_tail(self) -> str:
        """The end of what was printed on standard error so far."""
        return self._talk.error_tail

    def ask(self, script: str, *, timeout_s: float = 60.0) -> str:
        """Run `script` in a subshell and return what it printed.

        Raises:
            Unreachable: the shell ended, or nothing came within `timeout_s`; the shell is of no use then.
        """
        begin, end = Marker(), Marker()
        subshell = f'( script=$(cat); eval "$script" </dev/null ) {begin.document(script)}'
        self._send(f"{begin.command}\n{subshell}\n{end.command}\n")
        self._talk.read_past(begin.line, timeout_s)
        return self._talk.read_past(end.line, timeout_s).decode(errors="surrogateescape")

    def become(self, script: str) -> Iterator[str]:
        """Run `script` in place of the shell, yield the lines it prints as they come, and set `exit_status`.

        Raises:
            Unreachable: the connection broke before the script ended.
        """
        begin = Marker()
        self._send(f"{{ script=$(cat); }} {begin.document(script)}\n")
        self._send(f'exec </dev/null; {begin.command}; eval "$script"; exit\n')
        self._talk.send_end()
        self._talk.read_past(begin.line, _START_LIMIT_S)
        yield from (line.decode(errors="replace") for line in self._talk.lines())
        self.exit_status = self._talk.exit_status()

    def close(self) -> None:
        """End the shell if it is still there."""
        self._talk.close()

    def _send(self, text: str) -> None:
        self._talk.send(text.encode(errors="surrogateescape"))
