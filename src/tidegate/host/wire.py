"""JSON lines, both ways: one frame a line, at most 1 MiB."""

from __future__ import annotations

import json
import threading
from typing import Any, BinaryIO, Dict, Optional

from tidegate.host.errors import HostError

LONGEST = 1 << 20
Frame = Dict[str, Any]


class Wire:
    """Frames over a pair of streams; writing is safe from several threads."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink
        self._lock = threading.Lock()

    def read(self) -> Optional[Frame]:
        """The next frame, None at the end; HostError (input) for one that is none."""
        line = self._source.readline(LONGEST + 1)
        if not line:
            return None
        if len(line) > LONGEST:
            raise HostError("input", "frame-too-long", "a frame is longer than 1 MiB")
        try:
            frame = json.loads(line)
        except ValueError:
            raise HostError("input", "bad-frame", "a frame is not JSON") from None
        if not isinstance(frame, dict):
            raise HostError("input", "bad-frame", "a frame is not an object")
        return frame

    def write(self, frame: Frame) -> bool:
        """Send a frame; whether the other side still listens."""
        data = json.dumps(frame).encode() + b"\n"
        try:
            with self._lock:
                self._sink.write(data)
                self._sink.flush()
        except (OSError, ValueError):
            return False
        return True

    def event(self, event: Frame) -> None:
        """Send an event of the journal."""
        self.write({"event": event})


def success(state: str, result: Any) -> Frame:
    """The body of a good response."""
    return {"ok": True, "state": state, "result": result}


def failure(state: str, problem: HostError) -> Frame:
    """The body of a bad response."""
    return {"ok": False, "state": state, "error": problem.as_dict()}
