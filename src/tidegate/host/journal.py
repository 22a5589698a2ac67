"""The journal of one deployment: numbered events, durable, replayed from any number on."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

from tidegate.host.files import fsync_dir, make_dir

Event = Dict[str, Any]
Listener = Callable[[Event], None]


class Journal:
    """Append-only; every event is fsynced before a listener hears of it."""

    def __init__(self, path: Path) -> None:
        make_dir(path.parent)
        self._lock = threading.Lock()
        self._listeners: List[Listener] = []
        known = read(path)
        self._seq = known[-1]["seq"] if known else 0
        self._started: Dict[str, float] = {}
        self._fd = os.open(str(path), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        _cut_torn_line(self._fd, path)
        fsync_dir(path.parent)

    def listen(self, listener: Listener) -> None:
        """Hear every event from now on."""
        with self._lock:
            self._listeners.append(listener)

    def forget(self, listener: Listener) -> None:
        """Stop hearing; unknown listeners are no error."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def event(self, step: str, state: str, message: str = "", ident: str = "") -> None:
        """Record that `step` (such as `pull:web`) is now begin, ok, failed or info."""
        now = time.monotonic()
        with self._lock:
            if state == "begin":
                self._started[step] = now
            since = self._started.get(step, now)
            self._seq += 1
            event = {
                "seq": self._seq,
                "id": ident,
                "step": step,
                "state": state,
                "ms": round((now - since) * 1000, 1),
                "message": message,
            }
            os.write(self._fd, json.dumps(event).encode() + b"\n")
            os.fdatasync(self._fd)
            listeners = list(self._listeners)
        for listener in listeners:
            listener(event)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._fd)


def read(path: Path, after: int = 0) -> List[Event]:
    """The whole events with a number above `after`, oldest first."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return []
    whole = raw[: raw.rfind(b"\n") + 1]
    events = [json.loads(line) for line in whole.splitlines() if line]
    return [event for event in events if event["seq"] > after]


def _cut_torn_line(fd: int, path: Path) -> None:
    raw = path.read_bytes()
    length = raw.rfind(b"\n") + 1
    if length != len(raw):
        os.ftruncate(fd, length)
