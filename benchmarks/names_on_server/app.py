"""A copy of a service: HTTP, a line protocol and a server that speaks first, all on asyncio.

    python3 app.py NAME SLOT READY_FILE

On SIGTERM it finishes what it began, as a good application does.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

HTTP_PORTS = (8000, 8001, 9000)
BANNER_PORTS = (7000, 7001)
GRACE_S = 3.0


class Answer(asyncio.Protocol):
    """`GET /` at once, `GET /work` after 10 ms, `WHO` a line; always who answers."""

    open: set[Answer] = set()  # noqa: RUF012 - all connections of the process
    leaving = False
    word = ""

    def __init__(self, banner: bool) -> None:
        self.banner = banner
        self.data = b""
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A server that speaks first does it here."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.open.add(self)
        if self.banner:
            transport.write(f"{self.word}\n".encode())

    def connection_lost(self, _problem: Exception | None) -> None:
        """Nothing is kept."""
        self.open.discard(self)

    def data_received(self, data: bytes) -> None:
        """One request at a time; nobody here pipelines."""
        self.data += data
        if self.data.startswith(b"WHO\n"):
            self.transport.write(f"{self.word}\n".encode())
            self.data = b""
        elif self.data.endswith(b"\r\n\r\n"):
            work = self.data.startswith(b"GET /work")
            self.data, self.busy = b"", True
            if work:
                asyncio.get_running_loop().call_later(0.01, self.answer)
            else:
                self.answer()

    def answer(self) -> None:
        """A leaving copy says that it closes, and closes."""
        self.busy = False
        body = f"{self.word}\n".encode()
        ends = b"Connection: close\r\n" if Answer.leaving else b""
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n".encode()
        self.transport.write(head + ends + b"\r\n" + body)
        if Answer.leaving:
            self.transport.close()


async def main() -> None:
    """Listen everywhere, say so in a file, wait for the signal."""
    name, slot, ready = sys.argv[1:]
    Answer.word = f"{name} {slot}"
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(partial(Answer, port in BANNER_PORTS), "0.0.0.0", port)
        for port in HTTP_PORTS + BANNER_PORTS
    ]
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    Path(ready).touch()
    await stop.wait()
    Path(ready).unlink(missing_ok=True)
    for server in servers:
        server.close()
    Answer.leaving = True
    for connection in list(Answer.open):
        if not connection.busy:
            connection.transport.close()
    until = loop.time() + GRACE_S
    while Answer.open and loop.time() < until:
        await asyncio.sleep(0.01)


asyncio.run(main())
