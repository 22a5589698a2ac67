"""Which host runs which service, and the ports by which hosts reach each other's. Pure.

A service without `on:` runs on every host; one that keeps data must be placed, and a job runs
once, on the first host of those that wait for it. One with a schedule runs on one host, too.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
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
    places = _places(scope, services, hosts, drained)
    links = _links(services, places, [name for name in hosts if name not in drained])
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
        **_tasks(services, places),
    }


def _tasks(services: Services, places: Mapping[str, list[str]]) -> dict[str, Any]:
    """Where migrations and seed data of a service are run: on its first host."""
    having = [name for name in sorted(services) if _has_tasks(services[name])]
    return {"tasks": {name: places[name][0] for name in having}} if having else {}


def _has_tasks(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("migrate") or entry.get("seed"))


def _places(
    scope: Scope, services: Services, hosts: Mapping[str, Host], drained: Collection[str]
) -> dict[str, list[str]]:
    places = {
        name: _placed(scope, name, entry, hosts, drained)
        for name, entry in services.items()
        if entry["strategy"] != "job" or scope.setting(name).on
    }
    for name, on in places.items():
        if services[name].get("schedule"):
            places[name] = on[:1]  # it is one run, not one on each host
    working = [host for host in hosts if host not in drained]
    for name in sorted(set(services) - set(places)):
        waiting = [on for other, on in places.items() if name in services[other]["depends_on"]]
        first = [host for host in working if any(host in on for on in waiting)] or working
        places[name] = first[:1]
    for name, entry in services.items():
        _together(scope, name, entry, places)
    return places


def _placed(
    scope: Scope,
    name: str,
    entry: Mapping[str, Any],
    hosts: Mapping[str, Host],
    drained: Collection[str],
) -> list[str]:
    setting = scope.setting(name)

    def refused(code: str, message: str, hint: str) -> InputError:
        where = setting.where or scope.project.where(("services", name))
        return InputError(f"{name} {message}", code=code, where=where, hint=hint)

    if not setting.on and (entry["volumes"] or entry["stateful"]):
        place = f"services: {name}: {{on: {next(iter(hosts))}}} in tidegate.yaml"
        raise refused("placement-missing", "keeps data, and nothing says on which host", place)
    for word in setting.on:
        if not any(_is(host, word) for host in hosts.values()):
            known = sorted({role for h in hosts.values() for role in h.roles} | set(hosts))
            words = f"is placed on {word!r}, and no host has that name or role"
            raise refused("role-unknown", words, f"there are: {', '.join(known)}")
    wanted = [
        host.name
        for host in hosts.values()
        if not setting.on or any(_is(host, word) for word in setting.on)
    ]
    chosen = [host for host in wanted if host not in drained]
    if not chosen:
        words = f"runs on {' and '.join(wanted)} alone, drained by now"
        raise refused("placement-drained", words, f"tidegate host drain {wanted[0]} --back")
    if entry["stateful"] and len(chosen) > 1:
        words = f"is stateful, and would run on {' and '.join(chosen)}"
        raise refused("placement-many", words, "place it on one host")
    return chosen


def _is(host: Host, word: str) -> bool:
    return word == host.name or word in host.roles


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
    services: Services, places: Mapping[str, list[str]], hosts: Sequence[str]
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
    services: Services, places: Mapping[str, list[str]], name: str, hosts: Sequence[str]
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
