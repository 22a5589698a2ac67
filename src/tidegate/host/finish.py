"""*finish*: the host becomes exactly one generation, the new one or the old one.

Commit and abort are the same walk towards another target. It may die anywhere and be walked
again from the start.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Collection, Dict, List, Optional, Set, Tuple

from tidegate.host import (
    copies,
    drift,
    edge,
    fronts,
    generations,
    podman,
    strategies,
    systemd,
    timers,
)
from tidegate.host.context import Context
from tidegate.host.diff import copy_digest
from tidegate.host.errors import HostError
from tidegate.host.files import remove, write_if_changed
from tidegate.host.front import drain as drain_front
from tidegate.host.front import get_live, set_callers, set_live
from tidegate.host.generations import Generation
from tidegate.host.prune import prune
from tidegate.host.switch import turn_edge

# How long Podman is asked to remove containers that have ended, and how often.
FORGET_S, AGAIN_S = 30.0, 0.5


def become(ctx: Context, target: Optional[Generation]) -> Dict[str, Any]:
    """Make `target` what runs here, whatever runs now; None means nothing of ours."""
    if target is None:
        return leave(ctx)
    _lead_back(ctx, target)
    _free_ports(ctx, target)
    restored = _restore(ctx, target)
    drained_ms = _drain(ctx, target)
    stopped = _stop_others(ctx, target)
    _settle(ctx, target)
    timers.settle(ctx, target)
    prune(ctx)
    return {"drained_ms": drained_ms, "stopped": stopped, "reverted": restored}


def _lead_back(ctx: Context, target: Generation) -> None:
    """Callers first: every front and the edge lead to the copies of `target`."""
    assert target.layout is not None
    for name in fronts.fronted(target.release, target.layout):
        folder = fronts.folder(ctx.paths, name)
        slot = target.layout["services"][name]["slot"]
        if folder.exists() and get_live(folder) != slot:
            set_live(folder, slot)
    turn_edge(ctx, target)


def _free_ports(ctx: Context, target: Generation) -> None:
    """Ports that containers of `target` publish themselves must not be the edge's."""
    if strategies.own_ports(target) & fronts.edge_ports(ctx.paths):
        fronts.stake(ctx, target, None)


def _restore(ctx: Context, target: Generation) -> List[str]:
    """Write the units of `target` and (re)start what is not running as it says."""
    assert target.layout is not None
    texts = drift.expected_units(target)
    written = [
        write_if_changed(ctx.paths.units / name, text, 0o644)
        for name, text in sorted(texts.items())
    ]
    if any(written):
        systemd.daemon_reload()
    _forget_jobs(target)
    wrong = _not_running(ctx, target)
    if wrong:
        with ctx.step("undo", ", ".join(wrong)):
            copies.bring_up(ctx, target.release, target.layout, wrong, lambda _: None)
    for name in fronts.fronted(target.release, target.layout):
        if not _front_runs(target, name):
            fronts.ensure(ctx, target.release, target.layout, name)
    return wrong


def _forget_jobs(target: Generation) -> None:
    """A job that failed is one of the release that was given up."""
    layout = target.layout
    assert layout is not None
    services = target.release["services"]
    once = {n for n, e in services.items() if e["strategy"] == "job" and not e.get("schedule")}
    jobs = [name for name in layout["services"] if name in once]
    systemd.reset_failed([unit for name in jobs for unit in layout["services"][name]["units"]])


def _front_runs(target: Generation, service: str) -> bool:
    name = fronts.unit(target.release, service)
    return systemd.show([name])[name].get("ActiveState") == "active"


def _not_running(ctx: Context, target: Generation) -> List[str]:
    layout = target.layout
    assert layout is not None
    shown = systemd.show([u for p in layout["services"].values() for u in p["units"]])
    labels = {
        str(entry["Names"][0]): entry.get("Labels", {}).get("tidegate.digest")
        for entry in podman.containers(ctx.paths.instance)
    }
    result = []
    for name, placed in sorted(layout["services"].items()):
        entry = target.release["services"][name]
        if entry["strategy"] == "job":
            continue
        wanted = copy_digest(entry, layout["secrets"])
        for unit in placed["units"]:
            active = shown[unit].get("ActiveState") == "active"
            done = active and shown[unit].get("SubState") == "exited"
            if (not active or labels.get(unit) != wanted) and not done and name not in result:
                result.append(name)
    return result


def _drain(ctx: Context, target: Generation) -> float:
    """Wait until nobody is served by the slots that `target` leaves."""
    assert target.layout is not None
    began = time.monotonic()
    deadline = float(target.release["switch"]["drain_s"])
    places = fronts.places(ctx.paths)
    edged = set(edge.get_live(places))
    jobs: List[Tuple[str, str]] = []
    for name, slot in fronts.slots_of(target.release, target.layout):
        other = "a" if slot == "b" else "b"
        if _running(ctx, name, other):
            jobs.append((name, other))

    def one(job: Tuple[str, str]) -> None:
        name, slot = job
        with ctx.step(f"drain:{name}", f"slot {slot}"):
            key = f"{ctx.paths.instance}/{name}"
            if key in edged:
                edge.drain(places, key, slot, deadline)
            folder = fronts.folder(ctx.paths, name)
            if (folder / "haproxy.cfg").exists():
                drain_front(folder, slot, deadline)

    if jobs:
        with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
            list(pool.map(one, jobs))
    return round((time.monotonic() - began) * 1000, 1)


def _running(ctx: Context, service: str, slot: str) -> bool:
    names = [f"{ctx.paths.instance}-{service}-{slot}"]
    return systemd.show(names)[names[0]].get("ActiveState") in ("active", "activating")


def _stop_others(
    ctx: Context, target: Optional[Generation], known: Collection[str] = ()
) -> List[str]:
    """Stop and remove every unit and container of ours that `target` does not have.

    `known` are unit files that are ours even where somebody took our mark out of them.
    """
    expected = drift.expected_units(target)
    mine = {*drift.owned(ctx.paths), *(n for n in known if (ctx.paths.units / n).exists())}
    files = sorted(mine - set(expected))
    keep = {name.rsplit(".", 1)[0] for name in expected}
    here = {str(entry["Names"][0]) for entry in podman.containers(ctx.paths.instance)}
    others = sorted(
        {name.rsplit(".", 1)[0] for name in files if name.endswith(".container")} | (here - keep)
    )
    if others:
        with ctx.step("stop", ", ".join(others)):
            systemd.stop(others)
            _forget(ctx, here - keep)
    _stop_shared(files)
    for name in files:
        remove(ctx.paths.units / name)
    if files:
        systemd.daemon_reload()
        systemd.reset_failed(others)
    return others


def _forget(ctx: Context, names: Set[str]) -> None:
    """Let Podman forget stopped containers: a full disk or a busy Podman hinders it for a while.

    A dead one that it still knows after FORGET_S serves nobody and is left to the next deployment,
    which is told; HostError (error) where one still runs.
    """
    deadline = time.monotonic() + FORGET_S
    while not podman.remove_containers(sorted(names)):
        left = {str(c["Names"][0]): c["State"] for c in podman.containers(ctx.paths.instance)}
        left = {name: state for name, state in left.items() if name in names}
        if not left:
            return
        if time.monotonic() > deadline:
            running = sorted(name for name, state in left.items() if state == "running")
            if running:
                raise HostError(
                    "error", "still-running", f"{running[0]} cannot be stopped", subject=running[0]
                )
            ctx.info("stop", f"Podman cannot remove {', '.join(sorted(left))}, which has ended")
            return
        time.sleep(AGAIN_S)


def _stop_shared(files: List[str]) -> None:
    """Networks and volumes that the target does not name: their units end, data stays."""
    for name in files:
        stem, _, suffix = name.rpartition(".")
        if suffix in ("network", "volume"):
            systemd.stop([f"{stem}-{suffix}"])


def _settle(ctx: Context, target: Generation) -> None:
    """Fronts and edge know only `target` from here on."""
    assert target.layout is not None
    behind = fronts.fronted(target.release, target.layout)
    for name in behind:
        set_callers(fronts.folder(ctx.paths, name), {})
    fronts.stake(ctx, target, None)
    turn_edge(ctx, target)


def leave(ctx: Context, known: Collection[str] = ()) -> Dict[str, Any]:
    """Take everything of the instance off this host, its volumes excepted."""
    timers.settle(ctx, None)
    stopped = _stop_others(ctx, None, known)
    beside = podman.containers(ctx.paths.instance, podman.ONCE)
    podman.remove_containers([str(entry["Names"][0]) for entry in beside])
    places = fronts.places(ctx.paths)
    held = [claim for claim in edge.claims(places) if claim.instance == ctx.paths.instance]
    if held:
        edge.release_claim(places, ctx.paths.instance)
        edge.apply(places, _proxy(ctx))
    remove_networks(ctx.paths.instance)
    prune(ctx)
    return {"drained_ms": 0.0, "stopped": stopped, "reverted": []}


def _proxy(ctx: Context) -> str:
    for n in reversed(generations.numbers(ctx.paths)):
        found = generations.load(ctx.paths, n)
        if found is not None:
            return str(found.release["proxy"]["image"])
    raise HostError("error", "generation-lost", "no release is left here", subject="edge")


def remove_networks(instance: str) -> Set[str]:
    """Remove the networks that carry our label."""
    names = {
        str(entry["name"])
        for entry in podman.networks()
        if (entry.get("labels") or {}).get("tidegate.instance") == instance
    }
    for name in sorted(names):
        podman.remove_network(name)
    return names
