"""The client's half of SSH authentication, one round trip per attempt."""

from __future__ import annotations

from paramiko import Message
from paramiko.auth_handler import AuthHandler


class Authenticator(AuthHandler):
    """Sends "start authentication" once, and the first attempt right behind it.

    paramiko sends the service request before every attempt and waits for its answer each time, although RFC 4253
    section 10 leaves the server no choice but to accept or hang up. So an attempt costs one round trip here, not two.
    """

    _service_requested = False

    def _request_auth(self) -> None:
        if not self._service_requested:
            super()._request_auth()  # type: ignore[misc]  # paramiko's type stubs leave out what is private
            self._service_requested = True
        accepted = Message()
        accepted.add_string(b"ssh-userauth")
        accepted.rewind()
        super()._parse_service_accept(accepted)  # type: ignore[misc]  # builds, signs and sends the attempt

    def _parse_service_accept(self, _accepted: Message) -> None:
        """Nothing is left to do when the acceptance comes: the attempt is on its way."""
