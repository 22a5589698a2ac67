"""Where a release's services run on this host: slots, fixed addresses, unit names.

Pure: (release, the layout before, networks taken) in, layout out. A service that did not
change keeps its slot, its addresses and its units, so nothing of it is touched.
"""

from __future__ import annotations

import ipaddress
from types import MappingProxyType
from typing import Any, Collection, Dict, Iterable, List, Mapping, Optional, Sequence

from tidegate.host.diff import change
from tidegate.host.errors import HostError
from tidegate.host.placement import REMOTE

# Services with slots: what callers are led to is turned, not restarted.
SLOTTED = ("blue-green", REMOTE)
# Project networks are /24s from here unless the compose file names a subnet.
POOL = "10.210.0.0/15"
FORMAT = 1
Layout = Dict[str, Any]
Release = Dict[str, Any]


def compute(
    release: Release,
    n: int,
    before: Optional[Release],
    laid: Optional[Layout],
    taken: Iterable[str],
    secrets: Mapping[str, str],
    renew: Collection[str] = (),
    standing: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Layout:
    """The layout of generation `n`.

    `taken` are subnets of others on this host, `secrets` the version of each secret by its
    plain name, `renew` the services whose copies are not what they should be and that are
    made new although nothing changed, `standing` the subnets of networks by their names here.
    """
    old_services = before["services"] if before else {}
    old_layout = laid["services"] if laid else {}
    networks = _networks(release, before, laid, taken, standing)
    services = {
        name: _service(
            release,
            name,
            n,
            old_services.get(name),
            old_layout.get(name),
            name in renew or _other_secrets(release["services"][name], laid, secrets),
        )
        for name in sorted(release["services"])
    }
    return {
        "format": FORMAT,
        "n": n,
        "networks": networks,
        "services": services,
        "secrets": dict(secrets),
        "addresses": _addresses(release, networks, (laid or {}).get("addresses", {})),
        "remotes": _remotes(release, services, (laid or {}).get("remotes", {})),
        "ports": {
            name: list(ports)
            for name, ports in (laid or {}).get("ports", {}).items()
            if name in services
        },
    }


def _service(
    release: Release,
    name: str,
    n: int,
    old: Optional[Dict[str, Any]],
    placed: Optional[Dict[str, Any]],
    renew: bool,
) -> Dict[str, Any]:
    entry = release["services"][name]
    kind = "restart" if renew else change(old, entry)
    same_kind = old is not None and old["strategy"] == entry["strategy"]
    if placed is not None and kind != "restart" and same_kind:
        return dict(placed)
    slot = ""
    if entry["strategy"] in SLOTTED:
        slot = "b" if placed is not None and placed["slot"] == "a" else "a"
    return {"slot": slot, "since": n, "units": unit_names(release, name, slot)}


def _remotes(
    release: Release, services: Mapping[str, Any], known: Mapping[str, Any]
) -> Dict[str, Any]:
    """Slots that are other hosts: service → slot → addresses, and their port for each of ours.

    Before the switch callers are still led to the slot of before, so that one is kept.
    """
    result: Dict[str, Any] = {}
    for name, entry in release["services"].items():
        slots = {s: t for s, t in known.get(name, {}).items() if s != services[name]["slot"]}
        if entry["strategy"] == REMOTE:
            at = {str(port["port"]): port["at"] for port in entry["ports"]}
            slots[services[name]["slot"]] = {"addresses": entry["addresses"], "at": at}
        if slots:
            result[name] = slots
    return result


def _other_secrets(
    entry: Dict[str, Any], laid: Optional[Layout], secrets: Mapping[str, str]
) -> bool:
    known = (laid or {}).get("secrets", {})
    return any(known.get(use["secret"]) != secrets.get(use["secret"]) for use in entry["secrets"])


def is_version(stored: str, stem: str) -> bool:
    """Whether the Podman secret `stored` is of the version that `stem` (NAME-VERSION) names."""
    return stored == stem or stored.startswith(f"{stem}-")


def changed(layout: Layout) -> List[str]:
    """The services that this generation makes new copies of."""
    return [name for name, entry in layout["services"].items() if entry["since"] == layout["n"]]


def unit_names(release: Release, service: str, slot: str) -> List[str]:
    """The names (no suffix) of the units of one slot: the containers bear the same."""
    entry = release["services"][service]
    stem = f"{release['instance']}-{service}" + (f"-{slot}" if slot else "")
    count = int(entry.get("replicas", 1))
    return [stem if index == 1 else f"{stem}-{index}" for index in range(1, count + 1)]


def _networks(
    release: Release,
    before: Optional[Release],
    laid: Optional[Layout],
    taken: Iterable[str],
    standing: Mapping[str, Sequence[str]],
) -> Dict[str, Dict[str, str]]:
    result: Dict[str, Dict[str, str]] = {}
    busy = [ipaddress.ip_network(subnet) for subnet in taken]
    for name, entry in sorted(release["networks"].items()):
        known = (laid or {}).get("networks", {}).get(name)
        if entry["external"]:
            continue
        if known is not None:
            _unchanged(name, entry, before)
            result[name] = known
            continue
        there = _first(standing.get(entry["name"], ()))
        subnet = there or _given(entry) or _free(busy)
        busy.append(ipaddress.ip_network(subnet))
        result[name] = _plan(subnet, standing=bool(there))
    return result


def _unchanged(name: str, entry: Dict[str, Any], before: Optional[Release]) -> None:
    old = (before or {"networks": {}})["networks"].get(name)
    if old is not None and old != entry:
        raise HostError(
            "input",
            "network-changed",
            f"the options of network {name!r} changed, and a network in use cannot change",
            subject=name,
            hint="give the network a new key in the compose file",
        )


def _given(entry: Dict[str, Any]) -> str:
    return _first(entry.get("subnets", []))


def _first(subnets: Sequence[str]) -> str:
    """The first that is IPv4."""
    return next((s for s in subnets if ipaddress.ip_network(s).version == 4), "")


def _free(busy: Sequence[Any]) -> str:
    for candidate in ipaddress.ip_network(POOL).subnets(new_prefix=24):
        if not any(candidate.overlaps(other) for other in busy if other.version == 4):
            return str(candidate)
    raise HostError("error", "no-subnet", f"no free /24 is left in {POOL}", subject=POOL)


def _plan(subnet: str, standing: bool) -> Dict[str, str]:
    """Fixed addresses come from the lower half, Podman's own from the upper half.

    Of a network that somebody made before us Podman gives the lowest ones: there it is the
    other way round.
    """
    network = ipaddress.ip_network(subnet)
    halves = list(network.subnets(prefixlen_diff=1))[:: -1 if standing else 1]
    return {
        "subnet": subnet,
        "gateway": str(network[1]),
        "range": str(halves[1]),
    }


def _addresses(
    release: Release, networks: Dict[str, Dict[str, str]], known: Dict[str, Dict[str, str]]
) -> Dict[str, Dict[str, str]]:
    """Address of every place (`web/front`, `web/a/1`, …) on each network of its service."""
    used = {
        network: {places[network] for places in known.values() if network in places}
        for network in networks
    }
    for entry in release["services"].values():
        for joined in entry["networks"]:
            if joined.get("ipv4") and joined["network"] in used:
                used[joined["network"]].add(joined["ipv4"])
    result: Dict[str, Dict[str, str]] = {}
    for service, entry in sorted(release["services"].items()):
        for place in _places(service, entry, known):
            spots = dict(known.get(place, {}))
            for joined in entry["networks"]:
                network = joined["network"]
                if network in networks and network not in spots:
                    spots[network] = _next(networks[network], used[network])
            result[place] = spots
    return result


def _places(service: str, entry: Dict[str, Any], known: Mapping[str, Any]) -> List[str]:
    """Who needs an address: front and copies of both slots, or the copies that run in place.

    A service that runs elsewhere has its front here, and may have had copies until now.
    """
    if entry["strategy"] == REMOTE:
        return sorted({f"{service}/front", *(k for k in known if k.startswith(f"{service}/"))})
    count = range(1, int(entry.get("replicas", 1)) + 1)
    if entry["strategy"] != "blue-green":
        return [f"{service}//{index}" for index in count]
    return [f"{service}/front", *(f"{service}/{slot}/{i}" for slot in "ab" for i in count)]


def mac(address: str) -> str:
    """The hardware address that goes with a fixed address.

    With another one at each start, neighbours keep the old one for up to 30 s and reach
    nobody. 02 marks it as locally administered.
    """
    octets = ipaddress.IPv4Address(address).packed
    return ":".join(["02", "54", *(f"{octet:02x}" for octet in octets)])


def _next(network: Dict[str, str], used: "set[str]") -> str:
    subnet = ipaddress.ip_network(network["subnet"])
    dynamic = ipaddress.ip_network(network["range"])
    for address in subnet.hosts():
        text = str(address)
        if text != network["gateway"] and address not in dynamic and text not in used:
            used.add(text)
            return text
    raise HostError(
        "input",
        "subnet-full",
        f"the subnet {subnet} has no room for every copy",
        subject=str(subnet),
        hint="give the network a larger subnet",
    )


def copy_addresses(layout: Layout, service: str, slot: str, network: str) -> List[str]:
    """The addresses of a slot's copies on `network`, first replica first."""
    prefix = f"{service}/{slot}/"
    places = [key for key in layout["addresses"] if key.startswith(prefix)]
    places.sort(key=lambda key: int(key.rsplit("/", 1)[1]))
    return [
        layout["addresses"][place][network]
        for place in places
        if network in layout["addresses"][place]
    ]
