"""Start containers in the order of their dependencies, in parallel, and see them healthy."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Set

from tidegate.host import health, podman, systemd
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.layout import Layout, Release
from tidegate.host.order import dependencies_first

POLL_S = 0.1
# Each look costs the user's systemd something: no container is there at once, who takes long is
# looked at less often, and those that start together are looked at together.
FIRST_S, SELDOM_S, FRESH_S = 0.25, 0.5, 0.07
# A crash is retried by systemd as the restart policy says; this often it may crash at a start.
CRASHES = 3
# When a health check that has not passed yet is looked at: can it pass at all?
TRY_S = 2.5
# How long a port that callers are sent to may take to be listened on.
LISTEN_S = 30.0
# What a copy that has just become healthy has for opening its first port, however old it is.
LAST_MOMENT_S = 1.0

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
    looks = systemd.Looks(FRESH_S)

    def one(name: str) -> None:
        try:
            for other in needs(release, name) & todo:
                while not done[other].wait(POLL_S):
                    if problems:
                        return
                    ctx.check()
            if problems:
                return
            _start(ctx, release, layout, name, looks)
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
    return dependencies_first({name: needs(release, name) for name in release["services"]})


def _start(ctx: Context, release: Release, layout: Layout, name: str, looks: systemd.Looks) -> None:
    entry = release["services"][name]
    names = layout["services"][name]["units"]
    if not names:
        return  # it runs elsewhere
    step = "job" if entry["strategy"] == "job" else "start"
    with ctx.step(f"{step}:{name}", f"{name} starts"):
        systemd.reset_failed(names)
        before = {
            unit: state.get("InvocationID", "") for unit, state in systemd.show(names).items()
        }
        for unit in names:
            systemd.restart(unit)
        for unit in names:
            try:
                _wait(ctx, looks, unit, name, entry, before[unit])
            finally:
                looks.end(unit)


def _wait(
    ctx: Context,
    looks: systemd.Looks,
    unit: str,
    service: str,
    entry: Dict[str, Any],
    before: str,
) -> None:
    """Until the unit is up; `before` is the run that it replaces, still up for a moment."""
    began = time.monotonic()
    time.sleep(FIRST_S)
    deadline, tried = began + _patience(entry), entry["health"]["kind"] == "none"
    while True:
        ctx.check()
        state = looks.of(unit, began)
        active = state.get("ActiveState")
        if active == "active" and state.get("InvocationID") != before:
            break
        if active == "deactivating":  # the run that it replaces has its own time to stop
            deadline = time.monotonic() + _patience(entry)
        restarts = int(state.get("NRestarts") or 0)
        # With a job it is about to start: it waits for its network's unit, or the run that it
        # replaces has just ended, with whatever status.
        ended = active in ("inactive", "failed") and state.get("Job", "0") in ("", "0")
        if ended or restarts >= CRASHES:
            raise _unwell(unit, service, state, crashed=True)
        if time.monotonic() > deadline:
            raise _unwell(unit, service, state, crashed=False)
        if not tried and time.monotonic() > began + TRY_S:
            tried = True
            _can_be_checked(unit, service)
        time.sleep(POLL_S if time.monotonic() < began + TRY_S else SELDOM_S)
    if entry["strategy"] != "job":
        _listens(ctx, unit, service, entry)


def _can_be_checked(unit: str, service: str) -> None:
    """HostError when the health check can never pass, long before its last round is over."""
    program = health.missing_program(unit)
    if program:
        log = systemd.logs(unit)
        podman.kill(unit)
        systemd.stop([unit])
        raise HostError(
            "failed",
            "health-program-missing",
            f"the health check of {service} runs {program}, which its image does not have",
            subject=service,
            hint="check with a program of the image, as a list: [CMD, /program, argument]",
            log=log,
        )


def _patience(entry: Dict[str, Any]) -> float:
    """How long a start may take, in seconds: what the health check itself allows."""
    if entry["strategy"] == "job":
        return 24 * 3600.0
    figures = entry["health"]
    if figures["kind"] == "none":
        return 90.0
    rounds = max(1, int(figures["retries"]))
    hanging = min(float(figures["timeout_s"]), 10.0)
    return float(figures["start_period_s"] + rounds * figures["interval_s"]) + hanging


def _unwell(unit: str, service: str, state: Dict[str, str], crashed: bool) -> HostError:
    log = health.output(unit) + systemd.logs(unit)
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
            hint=f"its last output follows; the unit is {unit}.service"
            if log
            else f"it said nothing; the unit is {unit}.service",
            log=log,
        )
    return HostError(
        "failed",
        "service-unhealthy",
        f"{service} did not become healthy",
        subject=service,
        hint="its health check's and its own last output follow"
        if log
        else "neither its health check nor itself said anything",
        log=log,
    )


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
    pid = _pid(container)
    return podman.listening(pid) if pid else set()


def first_ports(ctx: Context, container: str, patience_s: float) -> Set[int]:
    """The same, once there are any; none when the container has ended or is so many seconds old.

    One that took longer to become healthy gets a last moment.
    """
    pid = _pid(container)
    deadline = time.monotonic() + max(LAST_MOMENT_S, patience_s - (podman.age_s(pid) if pid else 0))
    while pid:
        found = podman.listening(pid)
        if found or time.monotonic() > deadline:
            return found
        ctx.check()
        time.sleep(POLL_S)
        if not Path(f"/proc/{pid}").exists():
            pid = _pid(container)
    return set()


def _pid(container: str) -> int:
    found = podman.inspect([container])
    return int(found[0]["State"]["Pid"]) if found else 0
