"""The load generator sees each kind of trouble, and none where there is none."""

from __future__ import annotations

import asyncio
import json
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable

import pytest

from tidegate.testing.load.http import Address
from tidegate.testing.load.record import Record
from tidegate.testing.load.run import Load, drive

Behaviour = Callable[[str, Reader, Writer], Awaitable[None]]


def answer(status: int, body: object) -> bytes:
    """An HTTP response."""
    data = json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


async def good(path: str, reader: Reader, writer: Writer) -> None:
    """Does what the clients expect."""
    web = {"service": "web", "version": "2"}
    if path == "/echo":
        writer.write(b"HTTP/1.1 101 X\r\n\r\n")
        while (await reader.readexactly(2))[0] & 0x0F == 1:
            await reader.readexactly(4)
            data = await reader.readexactly(4)
            writer.write(bytes([0x81, len(data)]) + data)
    elif path == "/rows":
        writer.write(answer(201, {}))
    elif path == "/shop/orders":
        writer.write(answer(303, {}))
    elif path == "/shop":
        writer.write(answer(200, "<footer>the shop, version 2</footer>"))
    elif path == "/internal":
        writer.write(answer(200, {"caller": web, "called": {"service": "api", "version": "1"}}))
    else:
        writer.write(answer(200, web))


async def unwell(path: str, _: Reader, writer: Writer) -> None:
    """Answers 500."""
    writer.write(answer(500, {"path": path}))


async def silent(path: str, reader: Reader, writer: Writer) -> None:
    """Closes without an answer."""
    assert path
    reader.feed_eof()
    writer.close()


async def cutting(_: str, reader: Reader, writer: Writer) -> None:
    """Accepts a websocket, and closes it after the first frame."""
    writer.write(b"HTTP/1.1 101 X\r\n\r\n")
    await reader.readexactly(6)
    writer.write(bytes([0x81, 4]) + await reader.readexactly(4))
    writer.close()


async def observe(behaviour: Behaviour, kinds: tuple[str, ...], seconds: float = 0.6) -> Record:
    """What the clients see of a server that behaves like this."""

    async def serve(reader: Reader, writer: Writer) -> None:
        try:
            while line := await reader.readline():
                size = 0
                while (field := (await reader.readline()).strip()) != b"":
                    if field.lower().startswith(b"content-length:"):
                        size = int(field.split(b":")[1])
                await reader.readexactly(size)
                await behaviour(line.split()[1].decode(), reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    record, stop = Record(), asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, stop.set)
    load = Load(Address("127.0.0.1", port), kinds=kinds, rate=4)
    await drive(load, record, stop, lambda _: None)
    server.close()
    return record


HTTP_KINDS = (
    *("keep-alive", "new connection", "slow", "websocket", "row", "internal"),
    *("page", "order"),
)


def test_no_failure_where_all_is_well() -> None:
    """Each kind of client is content with a server that behaves."""
    report = asyncio.run(observe(good, HTTP_KINDS)).report()
    assert report["failures"] == []
    assert set(report["counts"]) == set(HTTP_KINDS)
    assert len(report["acknowledged"]) == report["counts"]["row"] + report["counts"]["order"]
    assert [seen["version"] for seen in report["seen"] if seen["service"] == "web"] == ["2"]
    calls = [(call["caller"], call["called"]) for call in report["calls"]]
    assert calls == [("web/2", "api/1")]


@pytest.mark.parametrize("kind", HTTP_KINDS)
@pytest.mark.parametrize("behaviour", [unwell, silent])
def test_each_kind_sees_trouble(kind: str, behaviour: Behaviour) -> None:
    """A 500 and a connection closed without an answer are failures for every kind."""
    record = asyncio.run(observe(behaviour, (kind,), 0.1))
    assert record.failures
    assert len(record.failures) == record.counts[kind]
    assert record.acknowledged == []


def test_the_longest_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is between good answers: failures do not end it, and the first answer begins none."""
    now = iter((10.0, 10.1, 12.0, 14.1, 14.2))
    monkeypatch.setattr("tidegate.testing.load.record.time.monotonic", lambda: next(now))
    record = Record()
    record.passed("page", 0.0)
    record.passed("order", 0.0)
    record.failed("page", "status 503", 0.0)
    record.passed("order", 0.0)
    record.passed("page", 0.0)
    assert record.report()["longest_pause_s"] == 4.0


def test_a_cut_websocket_is_a_failure() -> None:
    """A websocket that the server ends is noticed, though its echo worked."""
    record = asyncio.run(observe(cutting, ("websocket",)))
    assert {failure.kind for failure in record.failures} == {"websocket"}


def test_nobody_listens() -> None:
    """A refused connection is a failure, at a bounded rate."""
    record, stop = Record(), asyncio.Event()

    async def go() -> None:
        asyncio.get_running_loop().call_later(0.5, stop.set)
        load = Load(Address("127.0.0.1", 1), Address("127.0.0.1", 1), kinds=("tcp",))
        await drive(load, record, stop, lambda _: None)

    asyncio.run(go())
    assert 3 <= len(record.failures) <= 12
    assert record.failures[0].what == "connect: Connection refused"
