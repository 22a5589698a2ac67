"""The kinds of client. Each runs until ``stop``, and ends between two requests.

Each is ``async (Setting) -> None``; a trouble is recorded, never raised.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from tidegate.testing.load.http import (
    CLOSE,
    Address,
    Connection,
    LostError,
    receive_frame,
    request,
    send_frame,
    upgrade,
)
from tidegate.testing.load.record import Record

PAUSE_AFTER_LOSS_S = 0.2
VERSION = re.compile(r"version ([^\s<]+)<")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a client works with; ``pause_s`` is the mean time between two requests."""

    kind: str
    http: Address
    tcp: Address | None
    ws: Address
    record: Record
    chance: random.Random
    stop: asyncio.Event
    pause_s: float
    run: str
    host: str

    async def pause(self, factor: float = 1.0) -> None:
        """Wait between half and one and a half of the mean, or until ``stop``."""
        seconds = self.pause_s * factor * self.chance.uniform(0.5, 1.5)
        try:
            async with asyncio.timeout(seconds):
                await self.stop.wait()
        except TimeoutError:
            pass

    async def lost(self, error: LostError, began: float) -> None:
        """Record a failure; the pause bounds the rate while everything is down."""
        self.record.failed(self.kind, str(error), began)
        await asyncio.sleep(PAUSE_AFTER_LOSS_S)


Client = Callable[[Setting], Awaitable[None]]


async def ask(setting: Setting, connection: Connection, path: str) -> bool:
    """One GET whose answer names the copy that gave it; whether the connection stays open."""
    began = time.monotonic()
    response = await request(connection, path, host=setting.host)
    setting.record.saw(response.json())
    setting.record.passed(setting.kind, began)
    return not response.closes


async def keep_alive(setting: Setting) -> None:
    """GET /version again and again over one connection, as long as the server keeps it."""
    connection = None
    while not setting.stop.is_set():
        began = time.monotonic()
        if connection is not None and connection.ended:
            setting.record.closed[setting.kind] += 1
            await connection.close()
            connection = None
        try:
            connection = connection or await Connection.open(setting.http)
            if not await ask(setting, connection, "/version"):
                await connection.close()
                connection = None
        except LostError as error:
            if connection:
                await connection.close()
            connection = None
            await setting.lost(error, began)
        await setting.pause()
    if connection:
        await connection.close()


async def once(setting: Setting, path: str) -> None:
    """One GET on a connection of its own."""
    began = time.monotonic()
    try:
        connection = await Connection.open(setting.http)
        try:
            await ask(setting, connection, path)
        finally:
            await connection.close()
    except LostError as error:
        await setting.lost(error, began)


async def new_connection(setting: Setting) -> None:
    """GET /version, each time over a new connection."""
    while not setting.stop.is_set():
        await once(setting, "/version")
        await setting.pause()


async def slow(setting: Setting) -> None:
    """A request that takes 2 s, again and again."""
    while not setting.stop.is_set():
        await once(setting, "/slow?s=2")
        await setting.pause()


async def internal(setting: Setting) -> None:
    """Let the service call another one by its name; the answer names both copies."""
    while not setting.stop.is_set():
        await once(setting, "/internal")
        await setting.pause()


async def row(setting: Setting) -> None:
    """Write rows; those that were acknowledged must be there for ever."""
    number = 0
    while not setting.stop.is_set():
        number += 1
        name = f"{setting.run}-{number}"
        began = time.monotonic()
        try:
            connection = await Connection.open(setting.http)
            try:
                sent = time.monotonic()
                await request(
                    connection, "/rows", body=name.encode(), host=setting.host, expect=201
                )
                setting.record.acknowledged.append(name)
                setting.record.passed(setting.kind, sent)
            finally:
                await connection.close()
        except LostError as error:
            await setting.lost(error, began)
        await setting.pause()


async def page(setting: Setting) -> None:
    """Look at the shop's page, each time over a new connection; its foot says the version."""
    while not setting.stop.is_set():
        began = time.monotonic()
        try:
            connection = await Connection.open(setting.http)
            try:
                response = await request(connection, "/shop", host=setting.host)
                version = VERSION.search(response.body.decode(errors="replace"))
                if not version:
                    raise LostError("no version on the page")
                setting.record.saw({"service": "web", "version": version[1]})
                setting.record.passed(setting.kind, began)
            finally:
                await connection.close()
        except LostError as error:
            await setting.lost(error, began)
        await setting.pause()


async def order(setting: Setting) -> None:
    """Order in the shop; what it took (303) must be there for ever."""
    number = 0
    while not setting.stop.is_set():
        number += 1
        name = f"{setting.run}-{number}"
        form = {"id": name, "article": "tide-cup", "quantity": "2", "customer": "Ada"}
        body, began = urlencode(form).encode(), time.monotonic()
        try:
            connection = await Connection.open(setting.http)
            try:
                await request(connection, "/shop/orders", body=body, host=setting.host, expect=303)
                setting.record.acknowledged.append(name)
                setting.record.passed(setting.kind, began)
            finally:
                await connection.close()
        except LostError as error:
            await setting.lost(error, began)
        await setting.pause()


async def websocket(setting: Setting) -> None:
    """Connections of 2 to 6 s that echo; one that ends before we close it is a failure."""
    while not setting.stop.is_set():
        began = time.monotonic()
        try:
            connection = await Connection.open(setting.ws)
            try:
                await upgrade(connection, "/echo", setting.host)
                ends = time.monotonic() + setting.chance.uniform(2, 6)
                while time.monotonic() < ends and not setting.stop.is_set():
                    began = time.monotonic()
                    await send_frame(connection, b"tide")
                    if await receive_frame(connection) != b"tide":
                        raise LostError("wrong echo")
                    setting.record.passed(setting.kind, began)
                    await setting.pause()
                await send_frame(connection, b"", CLOSE)
            finally:
                await connection.close()
        except LostError as error:
            await setting.lost(error, began)


async def tcp(setting: Setting) -> None:
    """Connections of 1 to 4 s to a TCP echo service, line by line."""
    assert setting.tcp is not None
    while not setting.stop.is_set():
        began = time.monotonic()
        try:
            connection = await Connection.open(setting.tcp)
            try:
                ends = time.monotonic() + setting.chance.uniform(1, 4)
                while time.monotonic() < ends and not setting.stop.is_set():
                    began = time.monotonic()
                    await connection.send(b"tide\n")
                    if await connection.line() != b"tide\n":
                        raise LostError("wrong echo")
                    setting.record.passed(setting.kind, began)
                    await setting.pause()
            finally:
                await connection.close()
        except LostError as error:
            await setting.lost(error, began)
