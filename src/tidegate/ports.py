"""What the pipeline needs from the world, as Protocols; ``app.py`` gives it the real ones.

Durations are seconds. Mappings are the JSON objects of host protocol 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Answer(Protocol):
    """A request under way."""

    @property
    def answered_at(self) -> float:
        """When its response was here, by the monotonic clock; 0 before."""
        ...

    def result(self, timeout_s: float | None = None) -> Mapping[str, Any]:
        """Wait for its result; raises a ``TidegateError`` where the host says no."""
        ...


class Host(Protocol):
    """One server, attached."""

    @property
    def name(self) -> str:
        """Its name in tidegate.yaml."""
        ...

    def begin(
        self, op: str, args: Mapping[str, Any], *, deployment: str = "", token: int = 0
    ) -> Answer:
        """Send a request and return at once."""
        ...

    def persist(self, patience_s: float) -> None:
        """How long to mend a lost connection from now on."""
        ...

    def forward(self, local_port: int) -> int:
        """The port on the host that leads to ours."""
        ...


class Reporter(Protocol):
    """Hears everything as it happens: phases of the controller, events of the hosts."""

    def phase(self, name: str, state: str, message: str = "") -> None:
        """A phase begins, or ends with ok or failed."""
        ...

    def event(self, host: str, event: Mapping[str, Any]) -> None:
        """An event from a host."""
        ...
