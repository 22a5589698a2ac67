"""One run of ``tidegate`` as a user starts it, with its events heard as they happen.

``--events FILE`` makes it write one JSON line for each event; a thread reads them at once and
notes when (unix seconds), so that a kill can be aimed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POLL_S = 0.002  # where somebody aims by what is heard
REST_S = 0.02  # where it is only noted


@dataclass(frozen=True, slots=True)
class Event:
    """An event and when it was heard."""

    at: float
    step: str
    state: str
    ms: float
    message: str

    @property
    def what(self) -> str:
        """The step without its service."""
        return self.step.partition(":")[0]

    @property
    def name(self) -> str:
        """``pull begin`` for an event of a host, ``phase prepare begin`` for one of ours."""
        return f"{self.what} {self.state}"


def parse(raw: Mapping[str, Any]) -> Event:
    """A line of the events file: a phase of the controller, or an event of a host."""
    inner = raw.get("event") or {**raw, "step": f"phase {raw.get('phase')}"}
    return Event(
        time.time(),
        str(inner.get("step", "")),
        str(inner.get("state", "")),
        float(inner.get("ms") or 0),
        str(inner.get("message") or ""),
    )


Heard = Callable[[Event], None]


@dataclass(slots=True)
class Outcome:
    """How a run ended; times in unix seconds."""

    argv: tuple[str, ...]
    code: int
    began: float
    ended: float
    stdout: str
    stderr: str
    events: list[Event] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began

    @property
    def last_words(self) -> str:
        """Its error, or the end of what it said on stderr."""
        lines = self.stderr.strip().splitlines()
        error = [number for number, line in enumerate(lines) if line.startswith("error:")]
        return " / ".join(lines[error[-1] :][:4] if error else lines[-4:])

    def first(self, name: str) -> float:
        """When the first event of this name was heard; 0 if there was none."""
        return next((event.at for event in self.events if event.name == name), 0.0)


class Run:
    """A running ``tidegate``; ``heard`` is called from a thread for each event."""

    def __init__(
        self,
        folder: Path,
        *words: str,
        environment: Mapping[str, str],
        events: bool = True,
        heard: Heard | None = None,
    ) -> None:
        self._scratch = Path(tempfile.mkdtemp(prefix="tidegate-prove-"))
        self._events = self._scratch / "events"
        self._events.touch()
        self._heard = heard
        more = ("--events", str(self._events)) if events else ()
        self.argv = (sys.executable, "-m", "tidegate", *words, *more)
        self.events: list[Event] = []
        self.began = time.time()
        with (self._scratch / "out").open("wb") as out, (self._scratch / "err").open("wb") as err:
            self.process = subprocess.Popen(
                self.argv,
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self._done = threading.Event()
        self._follower = threading.Thread(target=self._follow, daemon=True)
        self._follower.start()

    def _follow(self) -> None:
        with self._events.open() as lines:
            rest = ""
            while True:
                ended = self._done.is_set()
                while chunk := lines.readline():
                    rest += chunk
                    if rest.endswith("\n"):
                        self._note(rest)
                        rest = ""
                if ended:
                    return
                time.sleep(POLL_S if self._heard else REST_S)

    def _note(self, line: str) -> None:
        event = parse(json.loads(line))
        self.events.append(event)
        if self._heard:
            self._heard(event)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the controller itself, not to its children."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)

    def wait(self, timeout_s: float = 180.0) -> Outcome:
        """Until it ends; one that does not is killed, and its code is then negative."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.wait()
        ended = time.time()
        self._done.set()
        self._follower.join()
        out = (self._scratch / "out").read_text(errors="replace")
        err = (self._scratch / "err").read_text(errors="replace")
        for file in self._scratch.iterdir():
            file.unlink()
        self._scratch.rmdir()
        return Outcome(self.argv, code, self.began, ended, out, err, self.events)
