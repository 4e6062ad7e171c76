"""A real SMTP server that keeps what it is sent: `python -m demo.mail_sink FOLDER` prints its port and serves.

Each message becomes a file `0001.eml` in FOLDER, in the order of arrival. A recipient whose address begins with
`refused` gets a 550, as at a server that does not know it.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aiosmtpd.smtp import SMTP

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, Session

_OK = "250 OK"
_UNKNOWN = "550 no such mailbox"


class Sink:
    """Keeps messages in a folder.

    Args:
        folder: made if missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._count = len(list(folder.glob("*.eml")))

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name and signature
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or refuse one that nobody knows."""
        del server, session, options
        if address.startswith("refused"):
            return _UNKNOWN
        envelope.rcpt_tos.append(address)
        return _OK

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Keep a message."""
        del server, session
        self._count += 1
        content = envelope.content or b""
        target = self._folder / f"{self._count:04d}.eml"
        partial = target.with_suffix(".part")
        partial.write_bytes(content if isinstance(content, bytes) else content.encode())
        partial.rename(target)
        return _OK


async def serve(folder: Path, port: int) -> None:
    """Serve until ended; the port is printed once it listens."""
    sink = Sink(folder)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(sink), "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))  # noqa: PLR2004 - argv[2]
