"""Which host runs which service, and the ports by which hosts reach each other's. Pure.

A service without `on:` runs on every host; one that keeps data must be placed, and a job runs
once, on the first host of those that wait for it.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tidegate.errors import InputError, Where
from tidegate.model.config import Host
from tidegate.targets.quadlet.scope import Scope

Services = Mapping[str, Mapping[str, Any]]
# Ports that hosts open to each other, on their internal addresses.
FIRST_PORT, PORTS = 20000, 10000


def placement(
    scope: Scope, services: Services, hosts: Mapping[str, Host], drained: Collection[str] = ()
) -> dict[str, Any]:
    """The release's `hosts` and `links`; nothing for an environment of one host.

    `services` are the release's entries; `drained` hosts run nothing. InputError where a
    service has no place, or a host that others must reach has no internal address.
    """
    if len(hosts) < 2:
        return {}
    working = {name: host for name, host in hosts.items() if name not in drained}
    places = _places(scope, services, working)
    links = _links(services, places, working)
    for name in links:
        _addressed(scope, name, places[name], hosts)
    return {
        "hosts": {
            name: {
                "address": host.address,
                "services": sorted(s for s, on in places.items() if name in on),
                **({"drained": True} if name in drained else {}),
            }
            for name, host in hosts.items()
        },
        "links": links,
    }


def _places(scope: Scope, services: Services, hosts: Mapping[str, Host]) -> dict[str, list[str]]:
    places = {
        name: _placed(scope, name, entry, hosts)
        for name, entry in services.items()
        if entry["strategy"] != "job" or scope.setting(name).on
    }
    for name in sorted(set(services) - set(places)):
        waiting = [on for other, on in places.items() if name in services[other]["depends_on"]]
        first = [host for host in hosts if any(host in on for on in waiting)] or list(hosts)
        places[name] = first[:1]
    for name, entry in services.items():
        _together(scope, name, entry, places)
    return places


def _placed(
    scope: Scope, name: str, entry: Mapping[str, Any], hosts: Mapping[str, Host]
) -> list[str]:
    setting = scope.setting(name)
    where = setting.where or scope.project.where(("services", name))
    if not setting.on:
        if entry["volumes"] or entry["stateful"]:
            raise InputError(
                f"{name} keeps data, and nothing says on which host",
                code="placement-missing",
                where=where,
                hint=f"services: {name}: {{on: {next(iter(hosts))}}} in tidegate.yaml",
            )
        return list(hosts)
    for word in setting.on:
        if not any(word == host.name or word in host.roles for host in hosts.values()):
            known = sorted({r for h in hosts.values() for r in h.roles} | set(hosts))
            raise InputError(
                f"{name} is placed on {word!r}, and no host has that name or role",
                code="role-unknown",
                where=where,
                hint=f"there are: {', '.join(known)}; a drained host takes nothing",
            )
    chosen = [
        host.name
        for host in hosts.values()
        if any(word == host.name or word in host.roles for word in setting.on)
    ]
    if entry["stateful"] and len(chosen) > 1:
        raise InputError(
            f"{name} is stateful, and would run on {' and '.join(chosen)}",
            code="placement-many",
            where=where,
            hint="place it on one host",
        )
    return chosen


def _together(
    scope: Scope, name: str, entry: Mapping[str, Any], places: Mapping[str, list[str]]
) -> None:
    """A container that joins another one's network must be beside it."""
    partner = str(entry["network_mode"] or "").removeprefix("service:")
    if partner in places and set(places[name]) - set(places[partner]):
        raise InputError(
            f"{name} joins the network of {partner}, which is not on the same hosts",
            code="placement-apart",
            where=scope.setting(name).where or scope.project.where(("services", name)),
            hint=f"place both with the same `on:`: {', '.join(places[partner])}",
        )


def _links(
    services: Services, places: Mapping[str, list[str]], hosts: Mapping[str, Host]
) -> dict[str, Any]:
    """Services that another host may call: on which hosts they are, and at which ports there."""
    taken: set[int] = set()
    found: dict[str, Any] = {}
    for name in sorted(services):
        entry = services[name]
        if entry["ports"] and entry["strategy"] != "job" and _called(services, places, name, hosts):
            ports = [{**p, "at": _port(name, p["port"], taken)} for p in entry["ports"]]
            found[name] = {"hosts": places[name], "ports": ports}
    return found


def _called(
    services: Services, places: Mapping[str, list[str]], name: str, hosts: Mapping[str, Host]
) -> bool:
    """Whether a host without `name` runs something on one of its networks."""
    mine = {joined["network"] for joined in services[name]["networks"]}
    return any(
        mine & {joined["network"] for joined in services[other]["networks"]}
        for host in hosts
        if host not in places[name]
        for other, on in places.items()
        if host in on
    )


def _port(service: str, port: int, taken: set[int]) -> int:
    """Where a port is found on the internal address: the same as long as nothing clashes."""
    wanted = zlib.crc32(f"{service}:{port}".encode()) % PORTS
    for number in _around(wanted):
        if number not in taken:
            taken.add(number)
            return number
    raise AssertionError(f"more than {PORTS} ports between hosts")


def _around(wanted: int) -> Iterator[int]:
    for step in range(PORTS):
        yield FIRST_PORT + (wanted + step) % PORTS


def _addressed(scope: Scope, name: str, on: list[str], hosts: Mapping[str, Host]) -> None:
    for host in on:
        if not hosts[host].address:
            where: Where | None = hosts[host].where
            raise InputError(
                f"other hosts call {name} on {host}, which has no internal address",
                code="address-missing",
                where=where or scope.project.where(("services", name)),
                hint=f"hosts: {host}: {{address: 10.0.0.10}} in tidegate.yaml",
            )
