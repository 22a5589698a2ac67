"""Clients of every host: each asks for the version and leaves rows, and notes what failed when."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field

from tidegate.lab import Server
from tidegate.testing.prove.fleet.party import get

PAUSE_S = 0.1
ROWS_EVERY = 10


@dataclass(slots=True)
class Client:
    """One host's; failures are (unix seconds when it began, what)."""

    server: Server
    rows: bool
    over: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    failures: list[tuple[float, str]] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Until it is over."""
        while not self.over.wait(PAUSE_S):
            began = time.time()
            self.asked += 1
            try:
                get(self.server.address, 8080, "/cgi-bin/version")
                if self.rows and self.asked % ROWS_EVERY == 0:
                    name = f"row-{self.asked}"
                    get(self.server.address, 8081, "/cgi-bin/rows", name.encode())
                    self.acknowledged.append(name)
            except (OSError, http.client.HTTPException) as problem:
                self.failures.append((began, f"{type(problem).__name__}: {problem}"))
