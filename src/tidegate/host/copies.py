"""Start containers in the order of their dependencies, in parallel, and see them healthy."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterable, List, Set

from tidegate.host import podman, systemd
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.layout import Layout, Release

POLL_S = 0.1
# A crash is retried by systemd as the restart policy says; this often it may crash at a start.
CRASHES = 3
# How long a port that callers are sent to may take to be listened on.
LISTEN_S = 30.0

Ready = Callable[[str], None]


def bring_up(
    ctx: Context, release: Release, layout: Layout, names: Iterable[str], ready: Ready
) -> None:
    """(Re)start the units of services `names`; `ready(name)` is called for each once healthy.

    Raises HostError (failed) with the first service that was not, after the others stopped
    waiting.
    """
    todo = set(names)
    done = {name: threading.Event() for name in todo}
    problems: List[BaseException] = []

    def one(name: str) -> None:
        try:
            for other in needs(release, name) & todo:
                while not done[other].wait(POLL_S):
                    if problems:
                        return
                    ctx.check()
            if problems:
                return
            _start(ctx, release, layout, name)
            ready(name)
            done[name].set()
        except BaseException as problem:  # handed to the caller below, whatever it is
            problems.append(problem)

    if todo:
        with ThreadPoolExecutor(max_workers=len(todo)) as pool:
            list(pool.map(one, sorted(todo)))
    if problems:
        raise problems[0]


def needs(release: Release, service: str) -> Set[str]:
    """The services that must be up before `service`."""
    entry = release["services"][service]
    mode = str(entry.get("network_mode") or "")
    return set(entry["depends_on"]) | ({mode[8:]} if mode.startswith("service:") else set())


def partners(release: Release, names: Iterable[str]) -> Set[str]:
    """The services that live in the network of one of `names`: they restart with it."""
    lent = {f"service:{name}" for name in names}
    return {name for name, entry in release["services"].items() if entry["network_mode"] in lent}


def ordered(release: Release) -> List[str]:
    """All services, dependencies first; a cycle was refused when the file was loaded."""
    result: List[str] = []
    seen: Set[str] = set()

    def visit(name: str) -> None:
        if name in seen or name not in release["services"]:
            return
        seen.add(name)
        for other in sorted(needs(release, name)):
            visit(other)
        result.append(name)

    for name in sorted(release["services"]):
        visit(name)
    return result


def _start(ctx: Context, release: Release, layout: Layout, name: str) -> None:
    entry = release["services"][name]
    names = layout["services"][name]["units"]
    step = "job" if entry["strategy"] == "job" else "start"
    with ctx.step(f"{step}:{name}", f"{name} starts"):
        systemd.reset_failed(names)
        before = {
            unit: state.get("InvocationID", "") for unit, state in systemd.show(names).items()
        }
        for unit in names:
            systemd.restart(unit)
        for unit in names:
            _wait(ctx, unit, name, entry, before[unit])


def _wait(ctx: Context, unit: str, service: str, entry: Dict[str, Any], before: str) -> None:
    """Until the unit is up; `before` is the run that it replaces, still up for a moment."""
    deadline = time.monotonic() + _patience(entry)
    while True:
        ctx.check()
        state = systemd.show([unit])[unit]
        active = state.get("ActiveState")
        if active == "active" and state.get("InvocationID") != before:
            break
        restarts = int(state.get("NRestarts") or 0)
        # A unit whose start waits for its network's is inactive too, with a job.
        ended = active == "inactive" and state.get("Job", "0") in ("", "0")
        if active == "failed" or ended or restarts >= CRASHES:
            raise _unwell(unit, service, state, crashed=True)
        if time.monotonic() > deadline:
            raise _unwell(unit, service, state, crashed=False)
        time.sleep(POLL_S)
    if entry["strategy"] != "job":
        _listens(ctx, unit, service, entry)


def _patience(entry: Dict[str, Any]) -> float:
    """How long a start may take, in seconds: what the health check itself allows."""
    if entry["strategy"] == "job":
        return 24 * 3600.0
    health = entry["health"]
    if health["kind"] == "none":
        return 90.0
    rounds = max(1, int(health["retries"]))
    hanging = min(float(health["timeout_s"]), 10.0)
    return float(health["start_period_s"] + rounds * health["interval_s"]) + hanging


def _unwell(unit: str, service: str, state: Dict[str, str], crashed: bool) -> HostError:
    log = health_output(unit) + systemd.logs(unit)
    # It never served anybody: no grace. A unit that is still starting gets no ExecStop.
    podman.kill(unit)
    systemd.stop([unit])
    if crashed and state.get("Result") not in ("timeout", ""):
        status = state.get("ExecMainStatus", "?")
        return HostError(
            "failed",
            "service-died",
            f"{service} ended by itself (exit status {status})",
            subject=service,
            hint=f"its last output follows; the unit is {unit}.service",
            log=log,
        )
    return HostError(
        "failed",
        "service-unhealthy",
        f"{service} did not become healthy",
        subject=service,
        hint="its health check's and its own last output follow",
        log=log,
    )


def health_output(container: str) -> List[str]:
    """The last answer of a container's health check, for people."""
    found = podman.inspect([container])
    if not found:
        return []
    log = (found[0].get("State", {}).get("Health") or {}).get("Log") or []
    lines = log[-1].get("Output", "").strip().splitlines() if log else []
    return [f"health check: {line}" for line in lines[-5:]]


def _listens(ctx: Context, unit: str, service: str, entry: Dict[str, Any]) -> None:
    """Wait until ports that callers are sent to are listened on."""
    wanted = {port["target"] for port in entry["published"] if port["protocol"] == "tcp"}
    wanted |= {route["port"] for route in entry["routes"]}
    if entry["strategy"] != "blue-green" or not wanted or entry.get("network_mode"):
        return
    deadline = time.monotonic() + LISTEN_S
    while True:
        missing = wanted - listening(unit)
        if not missing:
            return
        ctx.check()
        if time.monotonic() > deadline:
            port = min(missing)
            raise HostError(
                "failed",
                "port-closed",
                f"nothing in {service} listens on port {port}, where its callers are sent",
                subject=service,
                hint="check `ports:` in the compose file",
                log=systemd.logs(unit),
            )
        time.sleep(POLL_S)


def listening(container: str) -> Set[int]:
    """The TCP ports that a container listens on for others."""
    found = podman.inspect([container])
    pid = int(found[0]["State"]["Pid"]) if found else 0
    return podman.listening(pid) if pid else set()
