"""A caller inside the project's network: repairs nothing, counts everything.

    python3 client.py KIND HOST PORT SECONDS CONNECTIONS PATH [--name NAME] [--until FILE]

KIND: keep (one connection each), new (a connection per request), mixed (three keep, one new),
banner (seconds until the server's first line). HOST may be a name: then every new connection
asks the network's name server. Prints one JSON object; latencies in microseconds.

    python3 client.py turns TARGETS ROUNDS SECONDS

TARGETS is JSON, name → [address, port, Host]. They take turns, one request at a time, SECONDS
each: first over one connection, then over a new one per request. All p50 and p99 are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE_S = 3.0
THINK_S = 0.004


class Caller:
    """What all connections of one run share."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.latencies: list[float] = []
        self.failures: collections.Counter[str] = collections.Counter()
        self.answers: collections.Counter[str] = collections.Counter()
        self.until = time.monotonic() + asked.seconds
        name = asked.name or asked.host
        self.request = f"GET {asked.path} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()

    def goes_on(self) -> bool:
        return time.monotonic() < self.until and not (
            self.asked.until and Path(self.asked.until).exists()
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        opening = asyncio.open_connection(self.asked.host, self.asked.port)
        return await asyncio.wait_for(opening, PATIENCE_S)

    async def once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether the connection stays."""
        writer.write(self.request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        body = await asyncio.wait_for(reader.readexactly(length), PATIENCE_S)
        if b" 200 " not in head[:16]:
            raise ConnectionError(head[:16].decode())
        self.answers[body.decode().strip()] += 1
        return b"connection: close" not in lower

    async def keep(self) -> None:
        """Requests over one connection until it ends; then over another."""
        while self.goes_on():
            try:
                reader, writer = await self.connect()
            except (TimeoutError, OSError) as problem:
                self.fail("connect", problem)
                await asyncio.sleep(0.02)
                continue
            try:
                stays = True
                while stays and self.goes_on() and not reader.at_eof():
                    began = time.perf_counter()
                    stays = await self.once(reader, writer)
                    self.latencies.append(time.perf_counter() - began)
                    if self.asked.until:
                        await asyncio.sleep(THINK_S)
            except (TimeoutError, OSError, EOFError) as problem:
                self.fail("request", problem)
            writer.close()

    async def new(self) -> None:
        """A connection per request."""
        while self.goes_on():
            began = time.perf_counter()
            try:
                reader, writer = await self.connect()
                await self.once(reader, writer)
                self.latencies.append(time.perf_counter() - began)
                writer.close()
            except (TimeoutError, OSError, EOFError) as problem:
                self.fail("new", problem)
                await asyncio.sleep(0.02)
            if self.asked.until:
                await asyncio.sleep(THINK_S)

    async def banner(self) -> None:
        """How long a client that listens first waits."""
        while self.goes_on():
            began = time.perf_counter()
            reader, writer = await self.connect()
            self.answers[(await reader.readline()).decode().strip()] += 1
            self.latencies.append(time.perf_counter() - began)
            writer.close()

    def fail(self, where: str, problem: BaseException) -> None:
        self.failures[f"{where}: {type(problem).__name__} {problem}"[:60]] += 1

    def report(self) -> dict[str, object]:
        found = sorted(self.latencies) or [0.0]
        return {
            "requests": len(self.latencies),
            "p50_us": round(found[len(found) // 2] * 1e6, 1),
            "p99_us": round(found[len(found) * 99 // 100] * 1e6, 1),
            "max_us": round(found[-1] * 1e6, 1),
            "cpu_us": round(time.process_time() * 1e6),
            "failed": sum(self.failures.values()),
            "failures": dict(self.failures),
            "answers": dict(self.answers),
        }


def turns(targets: dict[str, tuple[str, int, str]], rounds: int, seconds: float) -> object:
    """Plain sockets, so that the client adds as little as it can."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in targets}
    for _ in range(rounds):
        for name, (address, port, host) in targets.items():
            request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
            for kind in ("keep", "new"):
                took = sorted(exchange((address, port), request, kind == "keep", seconds))
                for share in (50, 99):
                    value = took[len(took) * share // 100] * 1e6
                    found[name].setdefault(f"{kind}_p{share}_us", []).append(value)
    return found


def exchange(where: tuple[str, int], request: bytes, keep: bool, seconds: float) -> Iterator[float]:
    """Seconds per answer; with a new connection per request, those of connecting too."""
    until = time.perf_counter() + seconds
    connection = socket.create_connection(where, PATIENCE_S)
    while time.perf_counter() < until:
        began = time.perf_counter()
        if not keep:
            connection = socket.create_connection(where, PATIENCE_S)
        connection.sendall(request)
        data = b""
        while not data.endswith(b" a\n"):
            part = connection.recv(4096)
            if not part:
                raise SystemExit(f"{where} closed the connection")
            data += part
        yield time.perf_counter() - began
        if not keep:
            connection.close()
    connection.close()


async def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("keep", "new", "mixed", "banner"))
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("connections", type=int)
    parser.add_argument("path")
    parser.add_argument("--name", default="")
    parser.add_argument("--until", default="")
    asked = parser.parse_args()
    caller = Caller(asked)
    kinds = {"keep": ["keep"], "new": ["new"], "banner": ["banner"]}
    wanted = kinds.get(asked.kind, ["keep", "keep", "keep", "new"])
    await asyncio.gather(
        *(getattr(caller, wanted[n % len(wanted)])() for n in range(asked.connections))
    )
    print(json.dumps(caller.report()))


if sys.argv[1] == "turns":
    print(json.dumps(turns(json.loads(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))))
else:
    asyncio.run(main())
