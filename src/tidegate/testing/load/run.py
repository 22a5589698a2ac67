"""All clients in one process, from a seed, at bounded rates."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from tidegate.testing.load import clients
from tidegate.testing.load.http import Address
from tidegate.testing.load.record import Record


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of client: how many run at once, and their mean pause."""

    client: clients.Client
    copies: int
    pause_s: float


# About 90 requests a second together: enough to meet every switch, little for two cores.
KINDS = {
    "keep-alive": Kind(clients.keep_alive, 6, 0.2),
    "new connection": Kind(clients.new_connection, 3, 0.15),
    "slow": Kind(clients.slow, 3, 0.3),
    "websocket": Kind(clients.websocket, 3, 0.3),
    "tcp": Kind(clients.tcp, 3, 0.3),
    "row": Kind(clients.row, 1, 0.15),
    "internal": Kind(clients.internal, 2, 0.2),
}
# Customers of examples/shop, about 6 requests a second; run only where they are asked for.
CUSTOMERS = {
    "page": Kind(clients.page, 1, 0.3),
    "order": Kind(clients.order, 1, 0.3),
}


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask of whom: ``run`` names the rows, ``rate`` multiplies all rates."""

    http: Address
    tcp: Address | None = None
    ws: Address | None = None
    kinds: tuple[str, ...] = ()
    seed: int = 1
    run: str = "load"
    rate: float = 1.0
    host: str = "load"

    def names(self) -> tuple[str, ...]:
        """The kinds to run: those asked for, or all that have an address."""
        return self.kinds or tuple(name for name in KINDS if name != "tcp" or self.tcp)


async def drive(
    load: Load, record: Record, stop: asyncio.Event, progress: Callable[[Record], None]
) -> None:
    """Run the clients until ``stop``; ``progress`` is told once a second."""
    async with asyncio.TaskGroup() as group:
        for name in load.names():
            kind = {**KINDS, **CUSTOMERS}[name]
            for number in range(kind.copies):
                setting = clients.Setting(
                    kind=name,
                    http=load.http,
                    tcp=load.tcp,
                    ws=load.ws or load.http,
                    record=record,
                    # The seed makes a run repeatable; nothing here is a secret.
                    chance=random.Random(f"{load.seed}/{name}/{number}"),  # noqa: S311
                    stop=stop,
                    pause_s=kind.pause_s / load.rate,
                    run=f"{load.run}-{number}",
                    host=load.host,
                )
                group.create_task(run(kind.client, setting))
        group.create_task(report(record, stop, progress))


async def run(client: clients.Client, setting: clients.Setting) -> None:
    """``client`` as a coroutine, which a task group wants."""
    await client(setting)


async def report(record: Record, stop: asyncio.Event, progress: Callable[[Record], None]) -> None:
    """Tell ``progress`` once a second, and at the end."""
    while not stop.is_set():
        try:
            async with asyncio.timeout(1):
                await stop.wait()
        except TimeoutError:
            pass
        progress(record)
