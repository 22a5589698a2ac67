"""What the clients saw: counts, latencies, each failure, each version that answered.

Times are unix seconds, latencies milliseconds. A report is the record as plain JSON values.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that a user would have noticed, and how long it had taken until then."""

    at: float
    kind: str
    what: str
    after_s: float


@dataclass(slots=True)
class Sight:
    """When a version of a service was first and last seen to answer."""

    first: float
    last: float
    count: int = 0


@dataclass(slots=True)
class Record:
    """Grows while the clients run; nothing is ever taken out.

    ``pause_s`` is the longest time between two good answers, whichever clients got them; it
    counts the clients' own pauses, too. ``answered`` is when the last one came (monotonic).
    """

    started: float = field(default_factory=time.time)
    counts: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    latencies_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[Failure] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    seen: dict[tuple[str, str], Sight] = field(default_factory=dict)
    pairs: dict[tuple[str, str], Sight] = field(default_factory=dict)
    answered: float = 0.0
    pause_s: float = 0.0

    def passed(self, kind: str, began: float) -> None:
        """A request of ``kind`` that began at monotonic ``began`` was answered as it should."""
        now = time.monotonic()
        self.counts[kind] += 1
        self.latencies_ms[kind].append((now - began) * 1000)
        self.pause_s = max(self.pause_s, now - self.answered if self.answered else 0.0)
        self.answered = now

    def failed(self, kind: str, what: str, began: float) -> None:
        """A request of ``kind`` that began at monotonic ``began`` was lost or answered wrongly."""
        self.counts[kind] += 1
        after_s = round(time.monotonic() - began, 3)
        self.failures.append(Failure(time.time(), kind, what, after_s))

    def saw(self, answer: object) -> None:
        """Note each ``{"service": …, "version": …}`` inside an answer, and who called whom."""
        now = time.time()
        who = list(copies(answer))
        for copy in who:
            note(self.seen, copy, now)
        if len(who) == 2:
            note(self.pairs, ("/".join(who[0]), "/".join(who[1])), now)

    def report(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "started": self.started,
            "ended": time.time(),
            "requests": sum(self.counts.values()),
            "failed": len(self.failures),
            "longest_pause_s": round(self.pause_s, 3),
            "counts": dict(self.counts),
            "closed_while_idle": dict(self.closed),
            "latency_ms": {kind: percentiles(ms) for kind, ms in self.latencies_ms.items()},
            "failures": [asdict(failure) for failure in self.failures],
            "acknowledged": self.acknowledged,
            "seen": [
                {"service": s, "version": v, **asdict(sight)} for (s, v), sight in self.seen.items()
            ],
            "calls": [
                {"caller": a, "called": b, **asdict(sight)} for (a, b), sight in self.pairs.items()
            ],
        }


def note(sights: dict[tuple[str, str], Sight], key: tuple[str, str], now: float) -> None:
    """One more sight of ``key``."""
    sight = sights.setdefault(key, Sight(now, now))
    sight.last = now
    sight.count += 1


def copies(answer: object) -> list[tuple[str, str]]:
    """The (service, version) of each object in ``answer`` that has both, outermost first."""
    if not isinstance(answer, dict):
        return []
    found = []
    if isinstance(answer.get("service"), str) and isinstance(answer.get("version"), str):
        found.append((answer["service"], answer["version"]))
    for value in answer.values():
        found.extend(copies(value))
    return found


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95, p99 and the largest, by the nearest rank."""
    ordered = sorted(values)
    rank = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)
        for name, share in rank.items()
        if ordered
    }
