"""One HTTP exchange with a registry, the same for the follower and the client.

The token goes to the address that was asked for and to no other: redirections are answers, not orders, and a plain
HTTP address, which is this very machine unless the user said otherwise, is reached without any proxy.
"""

import time
from typing import Any, NamedTuple, Optional

_BLOCK_BYTES = 65536
#: A whole answer may take so many times what each part of it may.
_PATIENCE = 6


class Reply(NamedTuple):
    """What the server answered, whatever that was."""

    status: int
    headers: Any
    content: bytes

    @property
    def is_good(self) -> bool:
        """Whether it did what it was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110's successful ones


def exchange(
    method: str,
    url: str,
    token: str,
    content: Optional[bytes],
    *,
    timeout_s: float,
    limit_bytes: int,
    scheme: str = "Bearer",
) -> Reply:
    """Ask the server at `url` and return its answer.

    Args:
        method: HTTP's.
        url: checked by core.registry_address.
        token: of the caller; never part of an error.
        content: JSON to send, or None.
        timeout_s: for the connection, and for each part of the answer.
        limit_bytes: how long an answer may be.
        scheme: what the token is, in HTTP's words.

    Raises:
        OSError: no whole answer came.
    """
    # Imported late: ssl and http are most of a program's start.
    from http.client import HTTPException  # noqa: PLC0415
    from urllib.error import HTTPError  # noqa: PLC0415
    from urllib.request import Request  # noqa: PLC0415

    headers = {"Content-Type": "application/json", "Authorization": f"{scheme} {token}"}
    request = Request(url, content, headers, method=method)  # noqa: S310 - core.registry_address has checked it
    deadline = time.monotonic() + timeout_s * _PATIENCE
    try:
        try:
            response: Any = _opener(url).open(request, timeout=timeout_s)
            status = response.status
        except HTTPError as error:
            response, status = error, error.code
        with response:
            return Reply(status, response.headers, _read(response, deadline, limit_bytes))
    except HTTPException as error:
        raise OSError(f"its answer is no HTTP: {type(error).__name__}") from error
    except ValueError as error:  # which may name the token
        raise OSError("this cannot be asked by HTTP") from error


def _opener(url: str) -> Any:
    """Return what asks without following any redirection, and a plain address without any proxy."""
    from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener  # noqa: PLC0415 - see above

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            """Go nowhere."""

    return build_opener(Stay, *([ProxyHandler({})] if url.startswith("http:") else []))


def _read(response: Any, deadline: float, limit_bytes: int) -> bytes:
    """Read an answer as it comes: neither longer than it may be, nor for longer."""
    expected = response.length
    content = bytearray()
    while expected is None or len(content) < expected:
        block = response.read1(_BLOCK_BYTES)
        content += block
        if len(content) > limit_bytes or time.monotonic() > deadline:
            raise OSError("its answer has no end")
        if not block:
            break
    if expected is not None and len(content) < expected:
        raise OSError("its answer broke off")
    return bytes(content[:expected])
