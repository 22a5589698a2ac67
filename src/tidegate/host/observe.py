"""What runs here, held against what should: the facts that a plan is made from."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List, Optional

from tidegate.host import (
    deployment,
    drift,
    due,
    gate,
    generations,
    holds,
    ledger,
    machine,
    office,
    podman,
    systemd,
    timers,
)
from tidegate.host.canon import digest
from tidegate.host.files import read_json, read_text
from tidegate.host.generations import Generation
from tidegate.host.paths import Paths
from tidegate.host.placement import REMOTE
from tidegate.host.run import run

Facts = Dict[str, Any]


def observe(paths: Paths, full: bool = False) -> Facts:
    """The state of the instance; `full` adds the release that serves. Changes nothing."""
    now = generations.current(paths)
    record = deployment.load(paths)
    names = _unit_names(now)
    with ThreadPoolExecutor(4) as pool:
        shown = pool.submit(systemd.show, names)
        running = pool.submit(podman.containers, paths.instance)
        secrets = pool.submit(podman.own_secrets, paths.instance)
        networks = pool.submit(podman.networks)
        containers = {_name(entry): entry for entry in running.result()}
        services = _services(now, shown.result(), containers)
        stored = secrets.result()
        nets = [_network(entry) for entry in networks.result()]
    number = deployment.current_number(paths)
    kept = [generations.load(paths, n) for n in generations.committed(paths)]
    noted = ledger.entries(paths.ledger)
    entries = [] if office.elsewhere(paths) else noted
    return {
        "release_digest": digest(now.whole) if now else None,
        "release": now.whole if now and full else None,
        "deployment": f"{now.release['environment']}/{now.n}" if now else None,
        "generation": number,
        "since": _since(entries, number),
        "hold": holds.in_force(entries),
        "waiting": gate.waiting(entries),
        "verified": verified(entries, digest(now.whole)) if now else None,
        "witness": office.holder(paths),
        "lost": office.lost(paths),
        "host": generations.host_of(paths, number),
        "services": services,
        "networks": nets,
        "secrets": [{"name": name} for name in sorted(stored)],
        "secret_versions": dict((now.layout or {}).get("secrets", {})) if now else {},
        "drift": [] if record else drift.drift(paths, now, services, containers, stored),
        "open": None if record is None else _open(record),
        "disk_free_bytes": podman.free_bytes(paths.base),
        **due.told(noted),
        "others": [] if now else _others(paths),
        "generations": [generations.summary(entry, number) for entry in kept if entry],
        "listening": sorted(listening_here()),
        "facts": machine.facts(),
    }


def verified(entries: List[Facts], release: str) -> Optional[Facts]:
    """What tests said last of a release, as the witness's ledger has it."""
    for entry in reversed(entries):
        if "verdict" in entry and "suite" in entry and entry["release"] == release:
            return {name: entry[name] for name in ("suite", "verdict", "reason", "at")}
    return None


def _others(paths: Paths) -> List[Facts]:
    """Which environments of which projects other instances on this host are."""
    found = []
    for folder in sorted(paths.base.iterdir()) if paths.base.is_dir() else ():
        place = paths._replace(instance=folder.name)
        release = read_json(place.generation(deployment.current_number(place)) / "release.json")
        if folder.name != paths.instance and release:
            keys = ("instance", "project", "environment")
            found.append({key: release[key] for key in keys})
    return found


def _since(entries: List[Facts], number: int) -> str:
    """When the deployment that serves was decided, as the witness's ledger has it."""
    for entry in reversed(entries):
        if str(entry.get("deployment", "")).endswith(f"/{number}"):
            return str(entry["at"])
    return ""


def listening_here() -> "set[int]":
    """TCP ports on which anything on this host listens."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in (read_text(Path("/proc/net") / name) or "").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                found.add(int(fields[1].rpartition(":")[2], 16))
    return found


def _unit_names(now: Optional[Generation]) -> List[str]:
    if now is None or now.layout is None:
        return []
    return [unit for entry in now.layout["services"].values() for unit in entry["units"]]


def _name(container: Dict[str, Any]) -> str:
    return str(container["Names"][0])


def _services(
    now: Optional[Generation], shown: Dict[str, Dict[str, str]], containers: Dict[str, Any]
) -> Facts:
    if now is None or now.layout is None:
        return {}
    result = {}
    for service, placed in now.layout["services"].items():
        entry = now.release["services"][service]
        if entry["strategy"] == REMOTE:
            continue
        schedule = _schedule(now, service, entry)
        states = [_state(shown.get(unit, {}), entry) for unit in placed["units"]]
        found = [containers[unit] for unit in placed["units"] if unit in containers]
        result[service] = {
            "strategy": entry["strategy"],
            "slot": placed["slot"],
            "replicas": entry.get("replicas", 1),
            "units": placed["units"],
            "image": entry["image"],
            "state": _worst(states),
            "health": _health(found),
            "since": shown.get(placed["units"][0], {}).get("ActiveEnterTimestamp", ""),
            "restarts": sum(int(shown.get(u, {}).get("NRestarts") or 0) for u in placed["units"]),
            "digests": sorted({c.get("Labels", {}).get("tidegate.digest", "") for c in found}),
            "generation": placed["since"],
            **schedule,
        }
    return result


def _schedule(now: Generation, service: str, entry: Dict[str, Any]) -> Facts:
    if not entry.get("schedule"):
        return {}
    timer = f"{now.release['instance']}-{service}{timers.SUFFIX}"
    return {"schedule": entry["schedule"]["text"], "next": timers.following(timer)}


def _state(unit: Dict[str, str], entry: Dict[str, Any]) -> str:
    if unit.get("LoadState") != "loaded":
        return "missing"
    active = unit.get("ActiveState", "")
    if entry.get("schedule"):
        return {"activating": "running", "failed": "failed"}.get(active, "waiting")
    if active == "active":
        done = entry["strategy"] == "job" or unit.get("SubState") == "exited"
        return "done" if done else "running"
    if active == "inactive" and entry["strategy"] == "job":
        return "done"
    return {"activating": "starting", "failed": "failed"}.get(active, "stopped")


def _worst(states: List[str]) -> str:
    for state in ("missing", "failed", "stopped", "starting"):
        if state in states:
            return state
    return states[0]


def _health(containers: List[Dict[str, Any]]) -> str:
    words = [str(entry.get("Status", "")) for entry in containers]
    for word in ("unhealthy", "starting", "healthy"):
        if any(f"({word})" in status for status in words):
            return word
    return "none"


def _network(entry: Dict[str, Any]) -> Facts:
    return {"name": entry["name"], "subnets": subnets(entry)}


def subnets(network: Dict[str, Any]) -> List[str]:
    """The subnets of a network as Podman lists it."""
    return [str(subnet["subnet"]) for subnet in network.get("subnets") or []]


def routed() -> List[str]:
    """IPv4 networks that this host has routes to: no project may use them."""
    output = run(["ip", "-json", "-4", "route", "show"], check=False).stdout
    found = [str(route.get("dst", "")) for route in json.loads(output or "[]")]
    return [text for text in found if text and text != "default"]


def _open(record: Dict[str, Any]) -> Facts:
    return {
        "deployment": record["deployment"],
        "state": deployment.public_state(record),
        "owner": record["owner"],
        "since": record["since"],
    }
