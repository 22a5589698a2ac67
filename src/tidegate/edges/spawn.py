"""git as a process of its own with pipes, without what ``subprocess`` costs to import (5 ms).

Source: posix_spawn(3), pipe(7); Python closes its own descriptors on exec (PEP 446).
"""

from __future__ import annotations

import fcntl
import os
import select
from collections.abc import Mapping

CHUNK = 1 << 18
ROOM = 1 << 20  # bytes that a pipe may hold for whoever reads late: the most that Linux gives all


class Git:
    """A git that runs in ``directory``; ``argv`` is what comes after ``git``."""

    def __init__(self, argv: tuple[str, ...], directory: str, env: Mapping[str, str]) -> None:
        self.status: int | None = None
        near, far = [], []
        for reads in (False, True, True):
            ends = os.pipe()
            near.append(ends[0] if reads else ends[1])
            far.append(ends[1] if reads else ends[0])
        self._in, self._out, self._complaint = near
        _widen(self._out)
        actions = [(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(far)]
        try:
            words = ("git", "-C", directory, *argv)
            self._pid = os.posix_spawnp("git", words, env, file_actions=actions)
        except FileNotFoundError:
            for end in near:
                os.close(end)
            from tidegate.edges.process import missing_program  # 9 ms, for this only

            raise missing_program("git") from None
        finally:
            for end in far:
                os.close(end)

    def write(self, content: bytes) -> None:
        """Put all of it into its input; ``BrokenPipeError`` where it has ended."""
        view = memoryview(content)
        while view:
            view = view[os.write(self._in, view) :]

    def read(self) -> bytes:
        """What it has said; b"" where it has ended."""
        return os.read(self._out, CHUNK)

    def wait(self) -> tuple[int, bytes, str]:
        """Its exit status, the rest of its output, and its last word, once it has ended."""
        self._shut(self._in)
        self._in = -1
        found: dict[int, list[bytes]] = {self._out: [], self._complaint: []}
        poll = select.poll()
        for end in found:
            poll.register(end)
        open_ends = len(found)
        while open_ends:
            for end, _ in poll.poll():
                content = os.read(end, CHUNK)
                found[end].append(content)
                if not content:
                    poll.unregister(end)
                    open_ends -= 1
        self._ended()
        lines = b"".join(found[self._complaint]).decode(errors="replace").strip().splitlines()
        return self.status or 0, b"".join(found[self._out]), lines[-1] if lines else ""

    def close(self) -> None:
        """End it, where nobody waited for it."""
        if self.status is None:
            os.kill(self._pid, 9)
            self._ended()
        for end in (self._in, self._out, self._complaint):
            self._shut(end)
        self._in = self._out = self._complaint = -1

    def _ended(self) -> None:
        self.status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _shut(self, end: int) -> None:
        if end >= 0:
            os.close(end)


def _widen(end: int) -> None:
    """Let a process say more than 64 kB before anybody listens, where the system can."""
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux
    if resize is not None:
        try:
            fcntl.fcntl(end, resize, ROOM)
        except OSError:  # a user's pipes may hold so much in all (pipe(7))
            return
