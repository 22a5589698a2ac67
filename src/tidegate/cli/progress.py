"""Live progress of a deployment on stderr: a table on a terminal, plain lines elsewhere.

Figures are seconds with one decimal. ``--events FILE`` gets every event as a line of JSON with
the wall clock in it; that is what the kill harness reads.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

from tidegate.cli.output import DIM, GREEN, RED, coloured, paint, progress
from tidegate.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

TITLES: Mapping[str, str] = {
    "build": "build", "plan": "plan", "bring": "bring", "acquire": "lock",
    "join": "join", "secrets": "secrets",
    "prepare": "prepare", "switch": "switch", "watch": "watch", "verify": "verify",
    "commit": "commit",
    "ask": "ask the witness",
    "finish": "finish", "contract": "contract", "abort": "abort", "undo": "put back",
    "release": "unlock", "give-back": "unlock", "notify": "notify",
}  # fmt: skip
QUIET = frozenset({"lock", "join", "secrets", "commit", "unlock", "abort"})
SHOWN_S = 0.05
PATIENCE_S = 0.3  # what ends sooner needs no live table, and rich costs 60 ms
MARKS = {"begin": "…", "ok": "✓", "failed": "✗", "info": "·"}


@dataclass(slots=True)
class Row:
    """One phase: what is under way in it, and how long it took."""

    title: str
    began: float
    took_s: float = 0.0
    state: str = "begin"
    running: dict[str, float] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    note: str = ""


def appended(path: Path) -> TextIO:
    """A file that lines are added to; ``InputError`` where there can be none."""
    try:
        return path.open("a", encoding="utf-8")
    except OSError as problem:
        raise InputError(
            f"cannot write events to {path}: {str(problem.strerror).lower()}",
            code="usage",
            hint="name a file in a folder that exists, as in --events events.jsonl",
        ) from None


class Progress:
    """A Reporter for people. Safe to call from several threads; close it at the end."""

    def __init__(self, *, events: str = "", quiet: bool = False) -> None:
        self.several = False  # hosts: their names are part of what they do
        self._lock = threading.RLock()
        self._rows: list[Row] = []
        self._quiet = quiet
        self._terminal = sys.stderr.isatty() and not quiet
        self._colour = coloured(sys.stderr)
        self._began = time.monotonic()
        self._live: Live | None = None
        self._closed = False
        self._timer = threading.Timer(PATIENCE_S, self._paint)
        self._timer.daemon = True
        if self._terminal:
            self._timer.start()
        self._file: IO[str] | None = None
        if events:
            self._file = appended(Path(events))

    def phase(self, name: str, state: str, message: str = "") -> None:
        """A phase of the controller begins or ends."""
        now = time.monotonic()
        with self._lock:
            self._record({"phase": str(name), "state": state, "message": message})
            title = TITLES.get(name, str(name))
            if state == "begin":
                self._rows.append(Row(title, now))
            row = self._row(title)
            row.note = message or row.note
            if state in ("ok", "failed"):
                row.state, row.took_s = state, now - row.began
                row.running.clear()
            self._show(row, state)

    def event(self, host: str, event: Mapping[str, Any]) -> None:
        """A host tells what it does."""
        with self._lock:
            self._record({"host": host, "event": dict(event)})
            if not self._rows:
                return
            row = self._rows[-1]
            step, state = str(event.get("step", "")), str(event.get("state", ""))
            text = step.replace(":", " ")
            text = f"{host} {text}" if self.several else text
            if state == "begin":
                row.running[text] = time.monotonic()
            else:
                row.running.pop(text, None)
                took = float(event.get("ms") or 0) / 1000
                if took >= SHOWN_S and state != "info" and step != row.title:
                    row.done.append(f"{text} {took:.1f} s")
            self._step(text, state, str(event.get("message") or ""), event)

    def close(self) -> None:
        """Leave the last picture standing."""
        self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._live is not None:
                self._live.stop()
                self._live = None
            if self._file is not None:
                self._file.close()
                self._file = None

    def timings(self) -> dict[str, float]:
        """Seconds by phase, in order, equal names added up."""
        found: dict[str, float] = {}
        for row in self._rows:
            found[row.title] = found.get(row.title, 0.0) + row.took_s
        return {title: round(seconds, 3) for title, seconds in found.items()}

    def total_s(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def summary(self) -> str:
        """``build 3.2 s · prepare 2.1 s · …``, leaving out what took no time."""
        parts = [f"{t} {s:.1f} s" for t, s in self.timings().items() if s >= SHOWN_S]
        return " · ".join(parts)

    def _row(self, title: str) -> Row:
        for row in reversed(self._rows):
            if row.title == title:
                return row
        self._rows.append(Row(title, time.monotonic()))
        return self._rows[-1]

    def _record(self, what: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps({"at": time.time(), **what}) + "\n")
            self._file.flush()
        except OSError as problem:
            self._file = None
            progress(f"events are not written any more: {problem.strerror}")

    def _show(self, row: Row, state: str) -> None:
        if self._terminal:
            return
        if not self._quiet and (state == "failed" or row.title not in QUIET):
            self._line(row, state)

    def _line(self, row: Row, state: str) -> None:
        if state == "begin":
            return
        took = f"{row.took_s:5.1f} s" if state != "info" else " " * 7
        note = f"  {row.note}" if row.note else ""
        progress(f"{self._mark(state)} {row.title:<9}{took}{note}")

    def _step(self, text: str, state: str, message: str, event: Mapping[str, Any]) -> None:
        if self._terminal or self._quiet or state == "begin":
            return
        took = float(event.get("ms") or 0) / 1000
        shown = f"{took:5.1f} s" if took >= SHOWN_S else " " * 7
        told = f"  {message}" if message else ""
        if state in ("failed", "info") or took >= SHOWN_S:
            progress(f"  {self._mark(state)} {text:<22}{shown}{told}")

    def _mark(self, state: str) -> str:
        colour = {"ok": GREEN, "failed": RED}.get(state, DIM)
        return paint(MARKS.get(state, "·"), colour, on=self._colour)

    def _paint(self) -> None:
        """Begin the live table; from then on it draws itself."""
        from rich.live import Live

        from tidegate.cli.output import console

        with self._lock:
            if self._closed:
                return
            self._live = Live(
                get_renderable=self._picture,
                console=console(stderr=True),
                refresh_per_second=12.5,
                transient=False,
            )
            self._live.start()

    def _picture(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=1)
        grid.add_column(width=9)
        grid.add_column(width=8, justify="right")
        grid.add_column(overflow="ellipsis", no_wrap=True)
        styles = {"ok": "green", "failed": "red"}
        now = time.monotonic()
        for row in list(self._rows):
            if row.title in QUIET and row.state == "ok":
                continue
            took = row.took_s if row.state != "begin" else now - row.began
            mark = MARKS[row.state] if row.state != "begin" else "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"[int(now * 10) % 10]
            grid.add_row(
                Text(mark, styles.get(row.state, "cyan")),
                Text(row.title, "bold"),
                Text(f"{took:.1f} s", "dim"),
                Text(_doing(row, now)),
            )
        return grid


def _doing(row: Row, now: float) -> str:
    if row.running:
        items = list(row.running.items())
        return ", ".join(f"{step} {now - since:.0f} s" for step, since in items)
    return row.note or " · ".join(row.done[-4:])
