"""What of a release one host runs, where an environment has several. Pure.

The release is the same on all hosts, and signed as a whole; each host makes its own view of it.
A service that runs elsewhere and that one of ours may call stays in the view as `remote`: a
front without copies here, which bears its names and leads to the hosts that have it, at their
internal addresses. Those hosts publish the service's ports there.
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Set

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

    Nothing on a host that the release does not know: it came later.
    """
    return Views(release).of(host)


class Local(Dict[str, Any]):
    """A service's entry where it runs; `alike` is as it is on all hosts but for the OWN keys."""

    alike: Entry


OWN = ("published", "depends_on")
STRANGER: Entry = {"services": (), "address": ""}


class Views:
    """What each host runs of one release; what several of them have alike is made once.

    Nobody may change a view, nor the release meanwhile.
    """

    def __init__(self, release: Release) -> None:
        self._release = release
        if "hosts" not in release:
            return
        self._links = sorted(release.get("links") or ())
        self._networks = {
            name: frozenset(joined["network"] for joined in entry["networks"])
            for name, entry in release["services"].items()
        }
        self._alike: Dict[str, Entry] = {n: dict(e) for n, e in release["services"].items()}
        self._views: Dict[FrozenSet[str], Dict[str, Any]] = {}
        self._remotes: Dict[FrozenSet[str], Dict[str, Entry]] = {}

    def of(self, host: str) -> Dict[str, Any]:
        """See `here`. Hosts that run the same, none of it for others, share one view."""
        if "hosts" not in self._release:
            return dict(self._release)
        entry = self._release["hosts"].get(host, STRANGER)
        mine = frozenset(entry["services"])
        if mine.intersection(self._links):
            return self._view(mine, entry["address"])
        if mine not in self._views:
            self._views[mine] = self._view(mine, "")
        return self._views[mine]

    def _view(self, mine: FrozenSet[str], address: str) -> Dict[str, Any]:
        release = self._release
        services = {name: self._alike[name] for name in sorted(mine)}
        ours: FrozenSet[str] = frozenset().union(*(self._networks[name] for name in mine))
        if ours not in self._remotes:
            self._remotes[ours] = self._meet(ours)
        for name, entry in self._remotes[ours].items():
            services.setdefault(name, entry)
        for name in mine:
            services[name] = self._local(name, address, services)
        own = [services[name] for name in mine]
        return {
            **release,
            "services": services,
            "images": {name: image for name, image in release["images"].items() if name in mine},
            "networks": _only(release["networks"], ours),
            "volumes": _only(release["volumes"], _used(own, "volumes", "own_volumes")),
            "files": _only(release["files"], _used(own, "files")),
        }

    def _local(self, name: str, address: str, services: Mapping[str, Any]) -> Entry:
        """A service of ours; what other hosts reach of it is published at our address."""
        entry = self._alike[name]
        link = self._release["links"].get(name)
        waits = entry["depends_on"]
        if link is None and all(other in services for other in waits):
            return entry
        inside = [
            {"address": address, "port": port["at"], "target": port["port"], "protocol": "tcp"}
            for port in (link["ports"] if link else ())
        ]
        found = Local(entry)
        found["published"] = [*entry["published"], *inside]
        found["depends_on"] = {other: wait for other, wait in waits.items() if other in services}
        found.alike = entry
        return found

    def _meet(self, ours: FrozenSet[str]) -> Dict[str, Entry]:
        """Services as they are where they do not run, but are met on networks of `ours`."""
        met = ((name, self._networks[name] & ours) for name in self._links)
        return {name: self._remote(name, networks) for name, networks in met if networks}

    def _remote(self, name: str, networks: FrozenSet[str]) -> Entry:
        hosts, link = self._release["hosts"], self._release["links"][name]
        return {
            **NO_COPIES,
            "networks": [
                {"network": joined["network"], "aliases": joined["aliases"]}
                for joined in self._release["services"][name]["networks"]
                if joined["network"] in networks
            ],
            "ports": [dict(port) for port in link["ports"]],
            "addresses": [hosts[host]["address"] for host in link["hosts"]],
        }


def _used(entries: Iterable[Mapping[str, Any]], *keys: str) -> Set[str]:
    return {item for entry in entries for key in keys for item in entry.get(key) or ()}


def _only(values: Mapping[str, Any], names: Iterable[str]) -> Dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def order(release: Release) -> List[List[str]]:
    """The hosts in the order in which they prepare: who is waited for comes first.

    Hosts that wait for each other prepare together.
    """
    hosts = release.get("hosts") or {}
    waits = _waits(release, hosts)
    reach = {host: _reach(host, waits) for host in hosts}
    left, waves = set(hosts), []
    while left:
        wave = [h for h in left if not any(h not in reach[o] for o in reach[h] & left)]
        waves.append(sorted(wave))
        left.difference_update(wave)
    return waves


def _waits(release: Release, hosts: Mapping[str, Any]) -> Dict[str, Set[str]]:
    """Host → those that have what its services wait for and it has not itself."""
    places: Dict[str, Set[str]] = {}
    for host, entry in hosts.items():
        for name in entry["services"]:
            places.setdefault(name, set()).add(host)
    found: Dict[str, Set[str]] = {}
    for host, entry in hosts.items():
        mine = set(entry["services"])
        wanted = {other for name in mine for other in release["services"][name]["depends_on"]}
        found[host] = {h for name in wanted - mine for h in places.get(name, ())}
    return found


def _reach(host: str, waits: Mapping[str, Set[str]]) -> Set[str]:
    found: Set[str] = set()
    todo = [host]
    while todo:
        for other in waits[todo.pop()] - found:
            found.add(other)
            todo.append(other)
    return found
