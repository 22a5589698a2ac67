"""From a release and its layout to what the fronts and the edge are told, and the telling."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from tidegate.host import edge, front, systemd
from tidegate.host.canon import digest
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.files import write_if_changed
from tidegate.host.generations import Generation
from tidegate.host.layout import SLOTTED, Layout, Release, copy_addresses
from tidegate.host.paths import Paths
from tidegate.host.placement import REMOTE
from tidegate.host.strategies import own_ports
from tidegate.host.units import head, network_argument
from tidegate.traffic.model import Check, Claim, Copy, FrontSpec, Port, Published, Route, Taken

SLOTS = ("a", "b")
# How long the critical path of a healthy copy may take to answer well.
PROBE_S = 15.0
EDGE_HINT = "publish another port or route, or take the other project's away"


def fronted(release: Release, layout: Layout) -> List[str]:
    """The services whose callers go through a front: they have slots, and listen somewhere."""
    return [
        name
        for name, entry in sorted(release["services"].items())
        if entry["strategy"] in SLOTTED and layout["ports"].get(name) and _network(layout, name)
    ]


def unit(release: Release, service: str) -> str:
    """The name of a service's front unit and container."""
    return f"{release['instance']}-{service}-front"


def front_units(release: Release, layout: Layout) -> Dict[str, str]:
    """The front units of a generation: file name → text."""
    return {
        f"{unit(release, name)}.container": layout["fronts"][name]["text"]
        for name in fronted(release, layout)
        if name in layout["fronts"]
    }


def _place(paths: Paths, release: Release, layout: Layout, service: str) -> str:
    """The text of a front's unit, kept in the layout.

    A front that is there is never replaced for a newer image or a newer Tidegate: it would be
    away for a moment, and callers inside the project with it.
    """
    spots = layout["addresses"][f"{service}/front"]
    networks = [
        front.FrontNetwork(
            network_argument(release, joined["network"], []),
            spots[joined["network"]],
            tuple(joined["aliases"]),
        )
        for joined in release["services"][service]["networks"]
        if joined["network"] in spots
    ]
    key = digest([list(network) for network in networks])
    known: Dict[str, str] = layout["fronts"].get(service, {})
    if known.get("key") != key:
        text = front.front_unit(
            name=unit(release, service),
            image=release["proxy"]["image"],
            directory=paths.fronts / service,
            networks=networks,
            labels={"tidegate.instance": release["instance"], "tidegate.front": service},
        )
        text = f"{head(release['instance'])}\n{text}"
        known = {"key": key, "image": release["proxy"]["image"], "text": text}
        layout["fronts"][service] = known
    return known["text"]


def _network(layout: Layout, service: str) -> str:
    """The network on which fronts and the edge reach the copies: the service's first."""
    spots = layout["addresses"].get(f"{service}/front", {})
    return next(iter(spots), "")


def _spec(release: Release, layout: Layout, service: str) -> FrontSpec:
    network = _network(layout, service)
    far = layout.get("remotes", {}).get(service, {})
    near = {s: copy_addresses(layout, service, s, network) for s in SLOTS if s not in far}
    return FrontSpec(
        instance=release["instance"],
        service=service,
        ports=tuple(Port(port, mode) for port, mode in sorted(layout["ports"][service])),
        slots={s: tuple(far[s]["addresses"] if s in far else near[s]) for s in SLOTS},
        at={s: {int(p): at for p, at in far[s]["at"].items()} for s in far},
    )


def learn_ports(release: Release, layout: Layout, service: str, found: "set[int]") -> None:
    """Add declared ports and those that a copy listens on to the layout; they only grow."""
    entry = release["services"][service]
    modes = {int(port): mode for port, mode in layout["ports"].get(service, [])}
    for port in found:
        modes.setdefault(port, "auto")
    for declared in entry["ports"]:
        modes[int(declared["port"])] = declared["mode"]
    layout["ports"][service] = [[port, mode] for port, mode in sorted(modes.items())]


def ensure(ctx: Context, release: Release, layout: Layout, service: str) -> None:
    """Make a service's front run with the configuration that the layout asks for."""
    folder = ctx.paths.fronts / service
    name = unit(release, service)
    text = _place(ctx.paths, release, layout, service)
    with ctx.step(f"front:{service}"):
        front.write_front(folder, _spec(release, layout, service))
        if write_if_changed(ctx.paths.units / f"{name}.container", text, 0o644):
            systemd.daemon_reload()
            systemd.restart(name)
        elif systemd.show([name])[name].get("ActiveState") != "active":
            systemd.restart(name)
        front.started(name, folder)
        front.reload(folder)


def callers(new: Generation, service: str, changed: List[str]) -> Dict[str, str]:
    """Whom the front of `service` sends to its new copy before the switch: new copies."""
    layout = new.layout
    if layout is None or service not in changed or _is_remote(new, service):
        return {}
    slot = layout["services"][service]["slot"]
    result = {}
    for other in changed:
        placed = layout["services"][other]["slot"]
        if placed:
            for key, spots in layout["addresses"].items():
                if key.startswith(f"{other}/{placed}/"):
                    result.update(dict.fromkeys(spots.values(), slot))
    return result


def _is_remote(new: Generation, service: str) -> bool:
    """A service of other hosts: they lead nobody to new copies before the switch."""
    return bool(new.release["services"][service]["strategy"] == REMOTE)


def claim(new: Generation, old: Optional[Generation]) -> Claim:
    """What the edge must carry while `new` and `old` may both serve.

    Until the switch, where `old` is None, a port or route is whose it was: another service's,
    or a container's own.
    """
    published = {(p.address, p.port): p for p in _published(new, old)}
    routes = {(r.host, r.path): r for r in _routes(new, old)}
    if old is not None:
        held = own_ports(old)
        published = {key: port for key, port in published.items() if port.port not in held}
        for port in _published(old, None):
            known = published.get((port.address, port.port))
            if known is None or known.service != port.service:
                published[(port.address, port.port)] = port
        for route in _routes(old, None):
            other = routes.get((route.host, route.path))
            if other is None or other.service != route.service:
                routes[(route.host, route.path)] = route
    return Claim(
        new.release["instance"],
        tuple(published[key] for key in sorted(published)),
        tuple(routes[key] for key in sorted(routes)),
    )


def moved(new: Generation, old: Optional[Generation]) -> bool:
    """Whether a port or route changes hands at the switch."""
    both, then = _owners(claim(new, old)), _owners(claim(new, None))
    changed = any(both.get(key) != owner for key, owner in then.items())
    edges = {port.port for port in claim(new, old).published}
    return changed or bool(edges & own_ports(new))


def _owners(wanted: Claim) -> Dict[Tuple[str, str], str]:
    owners = {(port.address, str(port.port)): port.service for port in wanted.published}
    owners.update({(route.host, route.path): route.service for route in wanted.routes})
    return owners


def _published(new: Generation, old: Optional[Generation]) -> List[Published]:
    return [
        Published(
            name,
            port.get("address", ""),
            int(port["port"]),
            _mode(entry, port["target"]),
            _copies(new, old, name, port["target"]),
            _check(entry, port["target"]),
        )
        for name, entry in _slotted(new)
        for port in entry["published"]
    ]


def _routes(new: Generation, old: Optional[Generation]) -> List[Route]:
    return [
        Route(
            name,
            route["host"],
            route.get("path", "/"),
            int(route.get("listen", 80)),
            _copies(new, old, name, route["port"]),
            _check(entry, route["port"]),
        )
        for name, entry in _slotted(new)
        for route in entry["routes"]
    ]


def _slotted(generation: Generation) -> List[Tuple[str, Dict[str, Any]]]:
    services = generation.release["services"]
    return [(n, e) for n, e in sorted(services.items()) if e["strategy"] == "blue-green"]


def _copies(new: Generation, old: Optional[Generation], service: str, port: int) -> Dict[str, Copy]:
    layout = new.layout
    assert layout is not None
    network = _network(layout, service)
    result = {
        slot: Copy(tuple(copy_addresses(layout, service, slot, network)), int(port))
        for slot in SLOTS
    }
    if old is not None and old.layout is not None:
        result.update(_old_copy(old, service, port))
    return result


def _old_copy(old: Generation, service: str, port: int) -> Dict[str, Copy]:
    """The serving slot with its own port, should the new release have moved it."""
    entry = old.release["services"].get(service)
    layout = old.layout
    if layout is None or entry is None or entry["strategy"] != "blue-green":
        return {}
    slot = layout["services"][service]["slot"]
    targets = {p["target"] for p in entry["published"]} | {r["port"] for r in entry["routes"]}
    if port in targets or len(targets) != 1:
        return {}
    addresses = copy_addresses(layout, service, slot, _network(layout, service))
    return {slot: Copy(tuple(addresses), int(targets.pop()))}


def _mode(entry: Dict[str, Any], target: int) -> str:
    for port in entry["ports"]:
        if int(port["port"]) == int(target):
            return str(port["mode"])
    return "auto"


def _check(entry: Dict[str, Any], port: int) -> Optional[Check]:
    probe = entry.get("probe")
    if not probe or int(probe["port"]) != int(port):
        return None
    return Check(probe["path"], timeout_s=float(entry["health"].get("timeout_s", 5.0) or 5.0))


def live(generation: Optional[Generation], instance: str) -> Dict[str, str]:
    """Which slot of each service serves in `generation`, by the edge's names."""
    if generation is None or generation.layout is None:
        return {}
    return {
        f"{instance}/{name}": placed["slot"]
        for name, placed in generation.layout["services"].items()
        if placed["slot"]
    }


def serves(old: Optional[Generation], service: str) -> bool:
    """Whether callers of `service` are led somewhere by the generation that serves."""
    return (
        old is not None and old.layout is not None and service in fronted(old.release, old.layout)
    )


def differs(new: Generation, old: Optional[Generation], service: str) -> bool:
    """Whether the front of a service whose copies stay must be told something new."""
    if old is None or old.layout is None or new.layout is None or not serves(old, service):
        return True
    return _spec(new.release, new.layout, service) != _spec(old.release, old.layout, service)


def probe(ctx: Context, new: Generation, service: str) -> None:
    """The critical path of a new copy, over HTTP, as the edge reaches it."""
    entry = new.release["services"][service]
    if new.layout is None or not entry.get("probe"):
        return
    if service not in at_edge(ctx.paths):
        return
    slot = new.layout["services"][service]["slot"]
    path = entry["probe"]["path"]
    with ctx.step(f"probe:{service}", path):
        known = f"{new.release['instance']}/{service}"
        if not edge.ready(places(ctx.paths), known, slot, timeout_s=PROBE_S):
            raise HostError(
                "failed",
                "probe-failed",
                f"{service} does not answer on {path} as it should",
                subject=service,
                hint="the new copy was never given traffic",
                log=systemd.logs(new.layout["services"][service]["units"][0]),
            )


def at_edge(paths: Paths) -> "set[str]":
    """The services of this instance that the edge leads to."""
    mine = [held for held in edge.claims(places(paths)) if held.instance == paths.instance]
    names = {port.service for held in mine for port in held.published}
    return names | {route.service for held in mine for route in held.routes}


def edge_ports(paths: Paths) -> "set[int]":
    """The ports that the edge of this host listens on for anybody."""
    held = edge.claims(places(paths))
    ports = {port.port for claimed in held for port in claimed.published}
    return ports | {route.port for claimed in held for route in claimed.routes}


def folder(paths: Paths, service: str) -> Path:
    """Where a service's front has its files."""
    return paths.fronts / service


def places(paths: Paths) -> edge.Places:
    """Where the edge of this host has its files."""
    return edge.Places.of(paths.home)


def stake(ctx: Context, new: Generation, old: Optional[Generation]) -> None:
    """Claim ports and routes and bring the edge in line; HostError when another has them."""
    wanted = claim(new, old)
    if not wanted.published and not wanted.routes and not _claimed(ctx.paths):
        return
    with ctx.step("edge"):
        try:
            edge.claim(places(ctx.paths), wanted)
        except Taken as problem:
            raise HostError(
                "input", "port-taken", str(problem), subject=problem.owner, hint=EDGE_HINT
            ) from None
        done = edge.apply(places(ctx.paths), new.release["proxy"]["image"])
        ctx.info("edge", done)


def _claimed(paths: Paths) -> bool:
    return any(c.instance == paths.instance for c in edge.claims(places(paths)))


def slots_of(release: Release, layout: Layout) -> List[Tuple[str, str]]:
    """(service, slot) of every service with slots."""
    return [
        (name, layout["services"][name]["slot"])
        for name in sorted(release["services"])
        if layout["services"][name]["slot"]
    ]
