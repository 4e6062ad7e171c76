"""The SSH transport as Gridferry uses it: paramiko's, with fewer round trips and a better ear for trouble."""

from __future__ import annotations

import contextlib
import time
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, cast

import paramiko
from paramiko.common import cMSG_GLOBAL_REQUEST
from paramiko.packet import Packetizer

from project.adapters.ssh.authenticator import Authenticator
from project.adapters.ssh.chunk_pipe import ChunkPipe

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

#: AES-GCM encrypts and authenticates in one pass: twice as fast here as paramiko's first choice, CTR with an HMAC.
_FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")

#: Seconds without a word from the server after which it is asked for one, and after which it is given up.
KEEPALIVE_S, SILENCE_LIMIT_S = 15, 45

#: How often a wait for the server's word looks up.
_LOOK_UP_S = 0.05

#: Channels open at a time; a default sshd refuses the 11th (MaxSessions), and sites set it lower.
MOST_CHANNELS = 4

#: Seconds a person has to answer the server's prompts; sshd's LoginGraceTime is 120 s by default.
_LOGIN_GRACE_S = 120.0

#: Seconds the server has to open a channel.
_OPEN_LIMIT_S = 30.0

#: Bytes that may be on their way to us, and bytes in one packet: large ones spare Python work per packet.
WINDOW_BYTES, _PACKET_BYTES = 8 * 1024 * 1024, 256 * 1024


class _Ear(Packetizer):
    """Remembers what it heard, so that failures can be told apart.

    Attributes:
        greeting: what came before the keys were exchanged, up to and with the SSH banner.
        heard_at: monotonic time of the last packet.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.greeting = b""
        self.heard_at = time.monotonic()

    def _read_timeout(self, timeout: float) -> bytes:
        """Read some bytes in search of the banner, for `timeout` seconds at most."""
        data: bytes = super()._read_timeout(timeout)  # type: ignore[misc]  # private, so the type stubs leave it out
        self.greeting += data
        return data

    def read_message(self) -> tuple[int, paramiko.Message]:
        message = super().read_message()
        self.heard_at = time.monotonic()
        return message


class Session(paramiko.Transport):
    """One SSH connection as a client.

    Args:
        sock: a connected socket, or a channel through another session, which paramiko lets stand for one.
        host_key_types: the key types the server shall prefer to prove itself with, best first.

    Attributes:
        farewell: what the server said when it hung up, or "".
        channels_opened: how many channels have been opened so far.
    """

    def __init__(self, sock: socket.socket | paramiko.Channel, host_key_types: Sequence[str]) -> None:
        super().__init__(
            sock,
            default_window_size=WINDOW_BYTES,
            default_max_packet_size=_PACKET_BYTES,
            packetizer_class=_Ear,
        )
        options = self.get_security_options()
        options.ciphers = _first(_FAST_CIPHERS, options.ciphers)
        self._host_key_types = tuple(dict.fromkeys((*host_key_types, *options.key_types)))
        self.auth_timeout = _LOGIN_GRACE_S
        self.farewell = ""
        self.channels_opened = 0
        self._open: list[paramiko.Channel] = []

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """The host key algorithms, best first; paramiko would offer certificates always, and last."""
        return self._host_key_types

    @property
    def ear(self) -> _Ear:
        """What has been heard."""
        return cast("_Ear", self.packetizer)

    def shake_hands(self, limit_s: float) -> None:
        """Exchange banners and keys.

        Raises:
            paramiko.SSHException, EOFError, OSError: that failed, or took longer than `limit_s`.
        """
        self.banner_timeout = self.handshake_timeout = limit_s
        try:
            self.start_client(timeout=limit_s)
            self.get_remote_server_key()  # raises when time was up: start_client returns in silence
        finally:
            self.ear.complete_handshake()  # ends paramiko's timer thread, which would hold up the exit of the program
        self.auth_handler = Authenticator(self)
        self.ear.set_keepalive(KEEPALIVE_S, self._ask_for_a_word)

    @property
    def authenticator(self) -> Authenticator:
        """Who logs in; there once hands have been shaken."""
        return cast("Authenticator", self.auth_handler)

    @property
    def notice(self) -> str:
        """What the server told to everybody who logs in; sites say there that an account has expired."""
        banner = self.authenticator.banner or b""
        return banner if isinstance(banner, str) else banner.decode(errors="replace").strip()

    def new_channel(self) -> paramiko.Channel:
        """Open a channel for one command or subsystem.

        Raises:
            paramiko.SSHException: the server opens no further channel, or too many are open already.
        """
        self._open = [channel for channel in self._open if not channel.closed]
        if len(self._open) >= MOST_CHANNELS:
            raise paramiko.SSHException(f"{MOST_CHANNELS} channels are open already")
        channel = self.open_session(timeout=_OPEN_LIMIT_S)
        channel.in_buffer = ChunkPipe()  # nothing has come yet: nothing has been asked for
        self._open.append(channel)
        self.channels_opened += 1
        return channel

    def close(self) -> None:
        """Close the connection; the reading thread ends at once, and not when it looks up next (0.1 s)."""
        with contextlib.suppress(OSError, EOFError):  # it is closed already
            self.sock.shutdown(SHUT_RDWR)
        super().close()

    def hear_a_word(self) -> None:
        """Wait until the server says something from now on: a line that stood still has then brought what was on it.

        It ends at once on a line that is broken, and after a while on one that is dead.
        """
        asked_at = time.monotonic()
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):  # it broke meanwhile
            self._request_a_word()
            while self.is_active() and self.ear.heard_at < asked_at:  # silence ends it, see _ask_for_a_word
                time.sleep(_LOOK_UP_S)

    def _ask_for_a_word(self) -> None:
        """Called by paramiko from its reading thread after a quiet while."""
        if time.monotonic() - self.ear.heard_at > SILENCE_LIMIT_S:
            self.ear.close()
            return
        self._request_a_word()

    def _request_a_word(self) -> None:
        message = paramiko.Message()
        message.add_byte(cMSG_GLOBAL_REQUEST)
        message.add_string("keepalive@openssh.com")
        message.add_boolean(True)  # noqa: FBT003  # "want reply": any answer will do, a refusal is the usual one
        self._send_user_message(message)  # type: ignore[attr-defined]  # private, so the type stubs leave it out

    def _parse_disconnect(self, message: paramiko.Message) -> None:
        message.get_int()  # the reason as a number
        self.farewell = message.get_text()


def _first(favourites: Sequence[str], everything: Sequence[str]) -> tuple[str, ...]:
    """Return `everything` with the favourites among it first."""
    return (*(f for f in favourites if f in everything), *(e for e in everything if e not in favourites))
