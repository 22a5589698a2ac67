"""What of a release one host runs, where an environment has several. Pure.

The release is the same on all hosts, and signed as a whole; each host makes its own view of it.
A service that runs elsewhere and that one of ours may call stays in the view as `remote`: a
front without copies here, which bears its names and leads to the hosts that have it, at their
internal addresses. Those hosts publish the service's ports there.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Set

Release = Mapping[str, Any]
Entry = Dict[str, Any]
REMOTE = "remote"
# What a service's entry must have that has no copies here.
NO_COPIES: Entry = {
    "strategy": REMOTE,
    "replicas": 0,
    "image": "",
    "unit": {},
    "network_mode": "",
    "depends_on": {},
    "health": {"kind": "none"},
    "probe": None,
    "published": [],
    "routes": [],
    "volumes": [],
    "files": [],
    "secrets": [],
    "stop_s": 0,
    "stateful": False,
    "migrate": None,
}


def here(release: Release, host: str) -> Dict[str, Any]:
    """The part of `release` that `host` runs; the whole of it where the release names no hosts.

    KeyError for a host that the release does not know.
    """
    if "hosts" not in release:
        return dict(release)
    mine = set(release["hosts"][host]["services"])
    services = {name: _local(release, host, name) for name in sorted(mine)}
    for name in sorted(set(release["links"]) - mine):
        networks = _shared(release, name, mine)
        if networks:
            services[name] = _remote(release, name, networks)
    for entry in services.values():
        entry["depends_on"] = {n: w for n, w in entry["depends_on"].items() if n in services}
    return {
        **release,
        "services": services,
        "images": {name: image for name, image in release["images"].items() if name in mine},
        "networks": _only(release["networks"], _networks(services.values())),
        "volumes": _only(release["volumes"], _used(services.values(), "volumes", "own_volumes")),
        "files": _only(release["files"], _used(services.values(), "files")),
    }


def _local(release: Release, host: str, name: str) -> Entry:
    """A service of ours; what other hosts reach of it is published at our internal address."""
    entry = dict(release["services"][name])
    inside = [
        {
            "address": release["hosts"][host]["address"],
            "port": port["at"],
            "target": port["port"],
            "protocol": "tcp",
        }
        for port in release["links"].get(name, {}).get("ports", ())
    ]
    entry["published"] = [*entry["published"], *inside]
    return entry


def _remote(release: Release, name: str, networks: Set[str]) -> Entry:
    link = release["links"][name]
    theirs = release["services"][name]["networks"]
    return {
        **NO_COPIES,
        "networks": [
            {"network": joined["network"], "aliases": joined["aliases"]}
            for joined in theirs
            if joined["network"] in networks
        ],
        "ports": [dict(port) for port in link["ports"]],
        "addresses": [release["hosts"][host]["address"] for host in link["hosts"]],
    }


def _shared(release: Release, name: str, mine: Set[str]) -> Set[str]:
    """The networks on which services of ours meet one that runs elsewhere."""
    ours = _networks(release["services"][other] for other in mine)
    return ours & _networks([release["services"][name]])


def _networks(entries: Iterable[Mapping[str, Any]]) -> Set[str]:
    return {joined["network"] for entry in entries for joined in entry["networks"]}


def _used(entries: Iterable[Mapping[str, Any]], *keys: str) -> Set[str]:
    return {item for entry in entries for key in keys for item in entry.get(key) or ()}


def _only(values: Mapping[str, Any], names: Set[str]) -> Dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def order(release: Release) -> List[List[str]]:
    """The hosts in the order in which they prepare: who is waited for comes first.

    Hosts that wait for each other prepare together.
    """
    hosts = release.get("hosts") or {}
    waits = {host: _waits_for(release, host) for host in hosts}
    reach = {host: _reach(host, waits) for host in hosts}
    left, waves = sorted(hosts), []
    while left:
        wave = [h for h in left if not any(o in left and h not in reach[o] for o in reach[h])]
        waves.append(wave)
        left = [host for host in left if host not in wave]
    return waves


def _waits_for(release: Release, host: str) -> Set[str]:
    mine = release["hosts"][host]["services"]
    wanted = {other for name in mine for other in release["services"][name]["depends_on"]}
    found = {
        other
        for other, entry in release["hosts"].items()
        if set(entry["services"]) & (wanted - set(mine))
    }
    return found - {host}


def _reach(host: str, waits: Mapping[str, Set[str]]) -> Set[str]:
    found: Set[str] = set()
    todo = [host]
    while todo:
        for other in waits[todo.pop()] - found:
            found.add(other)
            todo.append(other)
    return found
