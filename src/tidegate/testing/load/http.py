"""HTTP/1.1 and websocket over asyncio streams, with nothing repaired behind the caller's back.

A library that retries or reconnects by itself would hide what is to be measured.
Framing: RFC 9112 (only Content-Length, which the tried services send) and RFC 6455.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 15.0
TEXT, CLOSE = 1, 8


class LostError(Exception):
    """The other side refused, reset, closed, was silent, or answered wrongly."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """``host:port``."""
        host, _, port = text.rpartition(":")
        return cls(host, int(port))


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; ``closes`` when the server said that it ends the connection."""

    status: int
    body: bytes
    closes: bool

    def json(self) -> Any:
        """The body as JSON, or LostError."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise LostError(f"not JSON: {self.body[:80]!r}") from error


class Connection:
    """One TCP connection; every trouble is LostError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, address: Address) -> Connection:
        """Connect, or LostError."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return cls(*await asyncio.open_connection(address.host, address.port))
        except (OSError, TimeoutError) as error:
            raise LostError(f"connect: {word(error)}") from error

    @property
    def ended(self) -> bool:
        """The server closed it while nothing was asked."""
        return self.reader.at_eof() or self.writer.is_closing()

    async def send(self, data: bytes) -> None:
        """Write ``data``, or LostError."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError as error:
            raise LostError(f"send: {word(error)}") from error

    async def read(self, size: int) -> bytes:
        """Exactly ``size`` bytes, or LostError."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self.reader.readexactly(size)
        except (OSError, EOFError, TimeoutError) as error:
            raise LostError(f"receive: {word(error)}") from error

    async def line(self) -> bytes:
        """A whole line, or LostError."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self.reader.readuntil(b"\n")
        except (OSError, EOFError, TimeoutError) as error:
            raise LostError(f"receive: {word(error)}") from error

    async def close(self) -> None:
        """Close; trouble no longer matters."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self.writer.wait_closed()


def word(error: BaseException) -> str:
    """The kind of a trouble, without addresses, so that like ones can be counted."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else type(error).__name__


async def head(connection: Connection) -> tuple[int, dict[str, str]]:
    """Status and header fields."""
    first = (await connection.line()).split()
    if len(first) < 2 or not first[1].isdigit():
        raise LostError(f"not HTTP: {first[:3]!r}")
    fields = {}
    while (line := (await connection.line()).strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        fields[name.lower()] = value.strip()
    return int(first[1]), fields


async def request(
    connection: Connection,
    path: str,
    *,
    body: bytes | None = None,
    host: str = "load",
    expect: int = 200,
) -> Response:
    """Ask once (POST if there is a body); LostError unless the status is ``expect``."""
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", f"Host: {host}"]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    await connection.send("\r\n".join([*lines, "", ""]).encode() + (body or b""))
    status, fields = await head(connection)
    content = await connection.read(int(fields.get("content-length", "0")))
    if status != expect:
        raise LostError(f"status {status}")
    return Response(status, content, fields.get("connection", "").lower() == "close")


async def upgrade(connection: Connection, path: str, host: str = "load") -> None:
    """Turn the connection into a websocket, or LostError."""
    key = base64.b64encode(os.urandom(16)).decode()
    await connection.send(
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    status, _ = await head(connection)
    if status != 101:
        raise LostError(f"status {status}")


async def send_frame(connection: Connection, data: bytes, kind: int = TEXT) -> None:
    """One masked frame of less than 126 bytes; the mask is zeros, which is a valid mask."""
    await connection.send(bytes([0x80 | kind, 0x80 | len(data), 0, 0, 0, 0]) + data)


async def receive_frame(connection: Connection) -> bytes:
    """The data of the next frame; a close that we did not ask for is LostError."""
    first, size = await connection.read(2)
    data = await connection.read(size & 0x7F)
    if first & 0x0F == CLOSE:
        raise LostError("closed by the server")
    return data
