"""*watch*: after the switch, do the new copies live, and do they answer well?"""

from __future__ import annotations

import time
from typing import Any, Dict, List, NamedTuple, Tuple

from tidegate.host import edge, front, fronts, layout, systemd
from tidegate.host.context import Context
from tidegate.host.generations import Generation
from tidegate.host.switch import prepared

POLL_S = 0.1
# Fewer answers than `min_requests` still condemn a copy at the end of the window, from so
# many errors on.
FEW_ERRORS = 3


class Sums(NamedTuple):
    """Requests and errors since the switch, of all new copies."""

    requests: int
    errors: int


def watch(ctx: Context, window_s: float, limits: Dict[str, Any]) -> Dict[str, Any]:
    """Look for `window_s` seconds; verdict `passed`, or `failed` with the reason at once."""
    new = prepared(ctx)
    deadline = time.monotonic() + window_s
    with ctx.step("watch", f"{window_s:g} s"):
        while True:
            ctx.check()
            late = time.monotonic() >= deadline
            reason = _dead(ctx, new) or _errors(ctx, new, limits, late)
            if reason or late:
                break
            time.sleep(POLL_S)
    sums = _sums(ctx, new)
    return {
        "verdict": "failed" if reason else "passed",
        "reason": reason,
        "requests": sums.requests,
        "errors": sums.errors,
        "p95_ms": _p95(ctx, new),
        "log": _log(new, reason) if reason else [],
    }


def _changed(new: Generation) -> List[str]:
    assert new.layout is not None
    return [
        name
        for name in layout.changed(new.layout)
        if new.release["services"][name]["strategy"] != "job"
    ]


def restarts(ctx: Context) -> Dict[str, int]:
    """How often systemd restarted each new copy so far, to be kept in the record."""
    new = prepared(ctx)
    assert new.layout is not None
    names = [unit for name in _changed(new) for unit in new.layout["services"][name]["units"]]
    return {u: int(state.get("NRestarts") or 0) for u, state in systemd.show(names).items()}


def _dead(ctx: Context, new: Generation) -> str:
    """The service that ended since the switch; a crash on the way to healthy is forgiven."""
    assert new.layout is not None
    known = ctx.record.get("restarts", {})
    owner = {unit: name for name in _changed(new) for unit in new.layout["services"][name]["units"]}
    for unit, state in systemd.show(owner).items():
        if state.get("ActiveState") != "active" or (
            int(state.get("NRestarts") or 0) > int(known.get(unit, 0))
        ):
            return f"{owner[unit]} died after the switch"
    return ""


def _sums(ctx: Context, new: Generation) -> Sums:
    requests = errors = 0
    for counts in _counts(ctx, new):
        requests += counts.requests
        errors += counts.responses_5xx + counts.errors
    return Sums(requests, errors)


def _counts(ctx: Context, new: Generation) -> List[Any]:
    assert new.layout is not None
    places = fronts.places(ctx.paths)
    found = []
    for name, slot in _slots(new):
        key = f"{ctx.paths.instance}/{name}"
        if _at_edge(new, name):
            found.append(edge.counts(places, key, slot))
        if name in fronts.fronted(new.release, new.layout):
            found.append(front.counts(fronts.folder(ctx.paths, name), slot))
    return found


def _slots(new: Generation) -> List[Tuple[str, str]]:
    assert new.layout is not None
    mine = set(_changed(new))
    return [pair for pair in fronts.slots_of(new.release, new.layout) if pair[0] in mine]


def _at_edge(new: Generation, service: str) -> bool:
    entry = new.release["services"][service]
    return bool(entry["published"] or entry["routes"])


def _errors(ctx: Context, new: Generation, limits: Dict[str, Any], late: bool) -> str:
    """Why the answers condemn the new copies, or nothing.

    What they answered before the switch (their first starts, checks) is not held against
    them: the counters' values at the switch are subtracted.
    """
    before = ctx.record.get("counted") or [0, 0]
    now = _sums(ctx, new)
    requests, errors = now.requests - before[0], now.errors - before[1]
    if requests <= 0:
        return ""
    enough = requests >= int(limits.get("min_requests", 20)) or (late and errors >= FEW_ERRORS)
    share = errors / requests
    if enough and share > float(limits.get("max_error_rate", 0.05)):
        return f"{errors} of {requests} requests failed on the new copies ({share:.0%})"
    return ""


def baseline(ctx: Context) -> List[int]:
    """The counters just before the switch, to be kept in the record."""
    sums = _sums(ctx, prepared(ctx))
    return [sums.requests, sums.errors]


def _p95(ctx: Context, new: Generation) -> float:
    places = fronts.places(ctx.paths)
    times: List[float] = []
    for name, slot in _slots(new):
        if _at_edge(new, name):
            times += edge.latencies(places, f"{ctx.paths.instance}/{name}", slot)
    times.sort()
    return round(times[int(len(times) * 0.95)], 1) if times else 0.0


def _log(new: Generation, reason: str) -> List[str]:
    assert new.layout is not None
    lines: List[str] = []
    for name in _changed(new):
        for unit in new.layout["services"][name]["units"]:
            if reason.startswith(name) or not lines:
                lines = systemd.logs(unit)
    return lines
