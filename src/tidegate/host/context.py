"""What every step of a deployment is given: where, which, whom to tell, when to give up."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Any, Dict, Iterator, NamedTuple

from tidegate.host.errors import HostError
from tidegate.host.journal import Journal
from tidegate.host.paths import Paths
from tidegate.host.run import CancelledError


class Context(NamedTuple):
    """One open deployment at work."""

    paths: Paths
    record: Dict[str, Any]
    journal: Journal
    cancel: threading.Event

    @property
    def number(self) -> int:
        return int(self.record["number"])

    def check(self) -> None:
        """Raise CancelledError once the deployment is given up."""
        if self.cancel.is_set():
            raise CancelledError()

    def info(self, step: str, message: str) -> None:
        """Tell something that has no length in time."""
        self.journal.event(step, "info", message)

    @contextmanager
    def step(self, name: str, message: str = "") -> Iterator[None]:
        """Tell that a step begins, and how it ends."""
        self.journal.event(name, "begin", message)
        try:
            yield
        except CancelledError:
            self.journal.event(name, "failed", "given up")
            raise
        except HostError as problem:
            self.journal.event(name, "failed", problem.message)
            raise
        self.journal.event(name, "ok", message)
