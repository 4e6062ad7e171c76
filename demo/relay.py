"""A TCP relay for tests and measurements: hands on what comes, slowly, out of TLS, or as an HTTP proxy does."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine, Iterator

_BLOCK_BYTES = 65536
_END_LIMIT_S = 10.0
_CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass
class Relay:
    """Listens on a port of its own while `started`.

    Attributes:
        host: address it listens at.
        target: where connections lead; None: where each caller's CONNECT says, as through a proxy (RFC 9110, 9.3.6).
        tls: callers speak TLS with it, proven by this; the target hears what was said in it.
        delay_s: how long what comes back from the target is held, the answer to a connection among it: the same as
            `tc qdisc add dev eth0 root netem delay` on the target, which not every kernel has.
        asked: what was asked of the proxy, such as `10.0.0.1:443`.
    """

    host: str = "127.0.0.1"
    target: tuple[str, int] | None = None
    tls: ssl.SSLContext | None = None
    delay_s: float = 0.0
    asked: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def started(self) -> Iterator[int]:
        """Yield the port; every connection ends with the block."""
        loop = asyncio.new_event_loop()
        connections: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = loop.create_task(self._serve(reader, writer))
            connections.add(task)  # a loop does not hold on to its tasks
            task.add_done_callback(connections.discard)

        server = loop.run_until_complete(asyncio.start_server(accept, self.host, 0, ssl=self.tls))
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            asyncio.run_coroutine_threadsafe(_end(server, connections), loop).result(_END_LIMIT_S)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on between a caller and where it wants to, until both have said all; a line that breaks ends it."""
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            host, port = self.target or await self._asked_for(reader)
            await asyncio.sleep(self.delay_s)  # the answer to the connection
            far_reader, far_writer = await asyncio.open_connection(host, port)
            if self.target is None:
                writer.write(_CONNECTED)
            with contextlib.closing(far_writer):
                await _both(_pump(reader, far_writer, 0.0), _pump(far_reader, writer, self.delay_s))

    async def _asked_for(self, reader: asyncio.StreamReader) -> tuple[str, int]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, address, _ = head.split(maxsplit=2)
        if method != "CONNECT":
            raise OSError(f"{method} is not for this proxy")
        self.asked.append(address)
        host, _, port = address.rpartition(":")
        return host, int(port)


async def _both(one: Coroutine[Any, Any, None], other: Coroutine[Any, Any, None]) -> None:
    """Run both to their ends; if one fails, neither goes on."""
    tasks = [asyncio.ensure_future(one), asyncio.ensure_future(other)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Write what is read, each block as much later; what is under way does not hold up what comes after it."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def read() -> None:
        block = b"-"
        while block:
            block = await reader.read(_BLOCK_BYTES)
            under_way.put_nowait((loop.time() + delay_s, block))

    async def write() -> None:
        while True:
            due_s, block = await under_way.get()
            await asyncio.sleep(due_s - loop.time())
            if not block:
                break
            writer.write(block)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()  # TLS knows no half-closed lines

    await _both(read(), write())


async def _end(server: asyncio.Server, connections: set[asyncio.Task[None]]) -> None:
    server.close()
    for task in list(connections):
        task.cancel()
    await asyncio.gather(*connections, return_exceptions=True)
