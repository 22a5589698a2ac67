"""The tests of an environment: is each service reached, and do its end-to-end tests pass?

An application's tests run once, from its service's own unit: the deployed image, environment,
secrets and networks, with the tests in place of what it serves. Nobody calls that container.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Collection, Dict, List

from tidegate.host import aside, edge, fronts, podman, systemd
from tidegate.host.context import Context
from tidegate.host.files import remove, write_atomic
from tidegate.host.generations import Generation
from tidegate.host.placement import REMOTE

REACH_S = 15.0
LINES = 200
LOG_BYTES = 500_000  # of all tests in one answer: a frame has at most 1 MiB
# podman(1), "Exit Codes": podman itself failed; as a shell: not executable, not there.
OF_PODMAN = ("125", "126", "127")
OF_SERVERS = frozenset(
    {"ContainerName", "Entrypoint", "Exec", "LogDriver", "LogOpt", "Notify", "PublishPort"}
)
LIMITS = ("CPU", "IO", "Limit", "Memory", "Tasks")

Result = Dict[str, Any]


def reach(ctx: Context, found: Generation) -> List[Result]:
    """A result for each service here that is not well, or does not answer where it is called."""
    services = found.release["services"]
    wanted = [
        name for name in sorted(services) if services[name]["strategy"] not in ("job", REMOTE)
    ]

    def one(name: str) -> List[Result]:
        ctx.check()
        entry = services[name]
        reason = _unwell(found, name, entry) or _silent(ctx, found, name, entry)
        if not reason:
            return []
        log = systemd.logs(_units(found, name)[0]) if _units(found, name) else []
        return [_result(name, "failed", reason, 0.0, log)]

    with ctx.step("reach", "every service"), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [result for results in pool.map(one, wanted) for result in results]


def _units(found: Generation, name: str) -> List[str]:
    assert found.layout is not None
    units_here: List[str] = found.layout["services"][name]["units"]
    return units_here


def _unwell(found: Generation, name: str, entry: Dict[str, Any]) -> str:
    for unit in _units(found, name):
        if systemd.show([unit])[unit].get("ActiveState") != "active":
            return f"{unit} does not run"
        if entry["health"]["kind"] == "container" and not podman.healthcheck(unit):
            return f"{unit} is not healthy"
    return ""


def _silent(ctx: Context, found: Generation, name: str, entry: Dict[str, Any]) -> str:
    """Why callers from outside do not get through."""
    places, key = fronts.places(ctx.paths), f"{found.release['instance']}/{name}"
    if name in fronts.at_edge(ctx.paths):
        assert found.layout is not None
        slot = found.layout["services"][name]["slot"]
        if not edge.ready(places, key, slot, timeout_s=REACH_S):
            return f"the edge does not reach {name}"
    for port in entry["published"]:
        if port["protocol"] == "tcp" and not _opens(port.get("address") or "", int(port["port"])):
            return f"nothing answers on port {port['port']}"
    for route in entry["routes"]:
        status = _asked(route)
        if not status or status >= 500:
            what = f"answers {status}" if status else "does not answer"
            return f"{route['host']}{route.get('path', '/')} {what}"
    return ""


def _opens(address: str, port: int) -> bool:
    everywhere = not address or ipaddress.ip_address(address).is_unspecified
    place = "127.0.0.1" if everywhere else address
    try:
        socket.create_connection((place, port), timeout=REACH_S).close()
    except OSError:
        return False
    return True


def _asked(route: Dict[str, Any]) -> int:
    """The status of a request for a route, by way of this host's edge; 0 for none."""
    connection = http.client.HTTPConnection("127.0.0.1", int(route.get("listen", 80)), timeout=15)
    try:
        connection.request("GET", str(route.get("path", "/")), headers={"Host": route["host"]})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def tests(ctx: Context, found: Generation, args: Dict[str, Any]) -> List[Result]:
    """The tests of `services` in a `suite`."""
    suite, timeout_s = str(args["suite"]), float(args.get("timeout_s", 1800.0))
    names = {
        service: f"{ctx.paths.instance}-{service}.{suite}" for service in args.get("services") or ()
    }
    if not names:
        return []
    files = {service: ctx.paths.units / f"{name}.container" for service, name in names.items()}
    try:
        _clear(list(names.values()))
        for service, file in files.items():
            lines = (found.whole.get(suite) or {})["services"][service]["lines"]
            text = unit_text(found, service, names[service], lines, timeout_s)
            write_atomic(file, text, 0o644)
        systemd.daemon_reload()  # costs as much for one unit as for all
        return side_by_side(names, lambda service: run(ctx, names[service], service, suite))
    finally:
        _clear(list(names.values()))
        for file in files.values():
            remove(file)
        systemd.daemon_reload()


def side_by_side(services: Collection[str], test: Callable[[str], Result]) -> List[Result]:
    """The results of `services`, as many at once as processors; their logs fit into an answer."""

    def one(service: str) -> Result:
        result = test(service)
        return {**result, "log": cut(result["log"], LOG_BYTES // len(services))}

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(one, services))


def cut(lines: List[str], size: int) -> List[str]:
    """The last lines that together have at most `size` bytes as JSON."""
    kept: List[str] = []
    for line in reversed(lines):
        size -= len(json.dumps(line)) + 2
        if size < 0:
            break
        kept.insert(0, line)
    return kept


def run(ctx: Context, name: str, service: str, suite: str) -> Result:
    """One service's tests in the unit `name`, to their end; given up with the deployment."""
    began = time.monotonic()
    with ctx.step(f"{suite}:{service}"):
        systemd.complete(name, ctx.cancel)
        shown = aside.ended(name)
        verdict, reason = _judged(shown, service, suite)
        ctx.info(f"{suite}:{service}", reason or "passed")
    return _result(service, verdict, reason, time.monotonic() - began, _log(name))


def unit_text(
    found: Generation, service: str, name: str, lines: List[List[str]], timeout_s: float
) -> str:
    """The unit of a service with other lines in its place: it ends, and nobody calls it."""
    whole = found.release["services"][service]["unit"]
    container = [line for line in whole.get("Container", ()) if not _of_server(*line)]
    limits = [line for line in whole.get("Service", ()) if line[0].startswith(LIMITS)]
    # Ours first: what the service itself says of a variable is its own.
    unit = {
        "Unit": [["Description", name.replace("%", "%%")]],
        "Container": [*lines, *container, ["HealthCmd", "none"]],
        "Service": [*limits, ["TimeoutStartSec", str(int(timeout_s))]],
    }
    return aside.unit_text(found, service, name, unit)


def _of_server(key: str, value: str) -> bool:
    """Lines for what goes on and is called, or what the tests bring themselves."""
    return key in OF_SERVERS or key.startswith("Health") or "--entrypoint" in value


def _judged(shown: Dict[str, str], service: str, suite: str) -> "tuple[str, str]":
    """failed is a bad change, error is what kept the tests from running."""
    if shown.get("ActiveState") == "active":
        return "passed", ""
    status, result = shown.get("ExecMainStatus", "?"), shown.get("Result", "")
    if result == "timeout":
        return "failed", f"the {suite} tests of {service} took too long"
    if shown.get("LoadState") != "loaded" or status in OF_PODMAN:
        return "error", f"the {suite} tests of {service} could not be started"
    return "failed", f"the {suite} tests of {service} failed (exit status {status})"


def _log(name: str) -> List[str]:
    """What the tests said; podman's own words where they never began."""
    said = systemd.logs(name, LINES)
    return said or systemd.unit_logs(name)


def _clear(names: List[str]) -> None:
    systemd.stop(names)
    systemd.reset_failed(names)


def _result(name: str, verdict: str, reason: str, took_s: float, log: List[str]) -> Result:
    facts = {"service": name, "verdict": verdict, "reason": reason}
    return {**facts, "seconds": round(took_s, 1), "log": log}
