"""JSON lines, both ways: one frame a line, at most 1 MiB."""

from __future__ import annotations

import json
import threading
from typing import Any, BinaryIO, Dict, Optional

from tidegate.host.errors import HostError

LONGEST = 1 << 20
LONGEST_MESSAGE = 1 << 16
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
            raise _too_long(f"a frame has more than {LONGEST} bytes")
        try:
            frame = json.loads(line)
        except ValueError:
            raise HostError("input", "bad-frame", "a frame is not JSON") from None
        if not isinstance(frame, dict):
            raise HostError("input", "bad-frame", "a frame is not an object")
        return frame

    def write(self, frame: Frame) -> bool:
        """Send a frame; whether the other side still listens. HostError for too long a one."""
        data = _line(frame)
        if len(data) > LONGEST:
            raise _too_long(f"{frame.get('op', 'a frame')} has {len(data)} bytes")
        try:
            with self._lock:
                self._sink.write(data)
                self._sink.flush()
        except (OSError, ValueError):
            return False
        return True

    def answer(self, ident: str, body: Frame) -> None:
        """Send a response; too long a one becomes an error that says so."""
        try:
            self.write({"id": ident, **body})
        except HostError as problem:
            self.write({"id": ident, **failure(str(body.get("state", "")), problem)})

    def event(self, event: Frame) -> None:
        """Send an event of the journal."""
        if len(event["message"]) > LONGEST_MESSAGE:
            event = {**event, "message": event["message"][:LONGEST_MESSAGE] + "…"}
        self.write({"event": event})


def _line(frame: Frame) -> bytes:
    """As short as the controller writes it: what came in one frame is passed on in one."""
    text = json.dumps(frame, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace") + b"\n"


def _too_long(what: str) -> HostError:
    return HostError("input", "frame-too-long", what, hint=f"a frame has at most {LONGEST} bytes")


def success(state: str, result: Any) -> Frame:
    """The body of a good response."""
    return {"ok": True, "state": state, "result": result}


def failure(state: str, problem: HostError) -> Frame:
    """The body of a bad response."""
    return {"ok": False, "state": state, "error": problem.as_dict()}
