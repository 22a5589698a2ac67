"""Commands on several hosts at once, and their output line by line as it comes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType

from tidegate.edges.process import Command
from tidegate.edges.ssh import Pipe
from tidegate.edges.ssh_failures import BROKEN
from tidegate.errors import TidegateError
from tidegate.model.config import Host
from tidegate.pipeline.fleet import ssh

Line = tuple[str, bytes]


class Streams:
    """Use in ``with``: leaving it ends what still runs. ``commands`` are by label."""

    def __init__(self, commands: Mapping[str, tuple[Host, Command]]) -> None:
        self._pipes: dict[str, Pipe] = {}
        self._queue: queue.Queue[tuple[str, bytes | None]] = queue.Queue()
        self.statuses: dict[str, int] = {}  # exit statuses of those that came to their end
        self.broken: dict[str, TidegateError] = {}  # connections that did not
        for label, (host, command) in commands.items():
            self._pipes[label] = ssh(host).open(command)

    def __enter__(self) -> Streams:
        for label in self._pipes:
            threading.Thread(target=self._read, args=(label,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pipe in self._pipes.values():
            pipe.close()

    def lines(self) -> Iterator[Line]:
        """(label, line) of all of them until the last one has ended."""
        open_ones = set(self._pipes)
        while open_ones:
            label, line = self._queue.get()
            if line is not None:
                yield label, line
                continue
            open_ones.discard(label)
            self._ended(label)

    def _read(self, label: str) -> None:
        stream = self._pipes[label].stdout
        try:
            while line := stream.readline():
                self._queue.put((label, line.rstrip(b"\n")))
        except (OSError, ValueError):  # closed by us
            return
        self._queue.put((label, None))

    def _ended(self, label: str) -> None:
        pipe = self._pipes[label]
        status = pipe.returncode()
        self.statuses[label] = status
        if status == BROKEN:
            self.broken[label] = pipe.failure()

    def complaint(self, label: str) -> TidegateError:
        """Why a command ended with something else than 0."""
        return self.broken.get(label) or self._pipes[label].failure()
