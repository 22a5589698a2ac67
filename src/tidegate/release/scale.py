"""How many copies of a service run, where a person asked for another number than the file's.

Pure: (release, numbers) in, release out. The release says what it was asked for (``scale``), so
that the next one of the same environment keeps it, until the file itself says another number. A
service without copies sleeps: its entry is kept in the release (``asleep``), and no host runs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.config.nearest import nearest
from tidegate.errors import InputError
from tidegate.targets.quadlet.strategy import MAX_COPIES

Release = Mapping[str, Any]
Entry = Mapping[str, Any]


def scaled(release: Release, copies: Mapping[str, int]) -> dict[str, Any]:
    """The release with so many copies of each named service; ``InputError`` where it cannot be."""
    found = dict(release)
    for name, count in sorted(copies.items()):
        entry = _entry(release, name)
        _possible(name, entry, count)
        own = int((release.get("scale") or {}).get(name, {}).get("instead_of", entry["replicas"]))
        found = _awake(found, name, count or own)
        found = _noted(found if count else _sleeping(found, name), name, count, own)
    return found


def kept(release: Release, before: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """A new release with the numbers that were asked for before, by the ``scale`` of an older one.

    A number in the file that changed since then is the newer wish; a service that is gone, or
    can no longer have so many copies, is as the file says.
    """
    found = dict(release)
    for name, asked in before.items():
        entry = release["services"].get(name)
        if entry is None or entry["replicas"] != asked["instead_of"]:
            continue
        if not _obstacle(name, entry, asked["copies"]):
            found = scaled(found, {name: asked["copies"]})
    return found


def _entry(release: Release, name: str) -> Entry:
    asleep = release.get("asleep") or {}
    found: Entry | None = release["services"].get(name) or (asleep.get(name) or {}).get("entry")
    if found is not None:
        return found
    known = sorted({*release["services"], *asleep})
    close = nearest(name, known)
    raise InputError(
        f"{release['environment']} runs no service {name!r}",
        code="unknown-service",
        hint=f"did you mean {close}?" if close else f"there are: {', '.join(known)}",
    )


def _possible(name: str, entry: Entry, count: int) -> None:
    obstacle = _obstacle(name, entry, count)
    if obstacle:
        raise InputError(
            f"{name} cannot have {count} copies: {obstacle}",
            code="replicas-impossible",
            hint="0 or 1 copies" if entry["strategy"] != "job" else "tidegate run --rm runs it now",
        )


def _obstacle(name: str, entry: Entry, count: int) -> str:
    """What keeps a service from having so many copies; nothing for nothing."""
    if count > MAX_COPIES:
        return f"{MAX_COPIES} are the most that a host is asked for"
    if entry["strategy"] == "job":
        return f"{name} runs to its end"
    if count < 2 or entry["strategy"] != "recreate":
        return ""
    if entry["stateful"]:
        return f"{name} is `stateful`"
    if entry["published"]:
        return f"each would need port {entry['published'][0]['port']}"
    fixed = [joined for joined in entry["networks"] if joined.get("ipv4")]
    return f"each would need address {fixed[0]['ipv4']}" if fixed else ""


def _awake(release: dict[str, Any], name: str, count: int) -> dict[str, Any]:
    found = _woken(release, name) if name not in release["services"] else release
    entry = dict(found["services"][name])
    mine = [key for key in entry["volumes"] if key.startswith(f"{name}-anonymous-")]
    first = [key for key in mine if not key.rpartition(".")[2].isdigit()]
    volumes = {key: volume for key, volume in found["volumes"].items() if key not in mine}
    for key in first:
        copies = {f"{key}.{n}": _another(found["volumes"][key], n) for n in range(2, count + 1)}
        volumes |= {key: found["volumes"][key], **copies}
    kept_ones = [key for key in entry["volumes"] if key in volumes]
    more = [key for key in volumes if key.startswith(f"{name}-anonymous-")]
    entry |= {"replicas": count, "volumes": sorted({*kept_ones, *more})}
    entry.pop("own_volumes", None)
    if first and count > 1:
        entry["own_volumes"] = first
    return {**found, "services": {**found["services"], name: entry}, "volumes": volumes}


def _another(volume: Mapping[str, Any], index: int) -> dict[str, Any]:
    """The same volume for another copy."""
    name = f"{volume['name']}.{index}"
    lines = [[k, name if k == "VolumeName" else v] for k, v in volume["unit"]["Volume"]]
    return {**volume, "name": name, "unit": {**volume["unit"], "Volume": lines}}


def _sleeping(release: dict[str, Any], name: str) -> dict[str, Any]:
    """Nothing of the service runs anywhere; what it needs stays."""
    if name not in release["services"]:
        return release
    services, links = dict(release["services"]), dict(release.get("links") or {})
    told = {"entry": services.pop(name), "link": links.pop(name, None)}
    found = {**release, "services": services}
    if "hosts" in release:
        told["hosts"] = [h for h, host in release["hosts"].items() if name in host["services"]]
        found |= {"hosts": _hosts(release, name, ()), "links": links}
    return {**found, "asleep": {**(release.get("asleep") or {}), name: told}}


def _woken(release: dict[str, Any], name: str) -> dict[str, Any]:
    asleep = dict(release["asleep"])
    told = asleep.pop(name)
    found = {**release, "services": {**release["services"], name: told["entry"]}}
    if "hosts" in release:
        found["hosts"] = _hosts(release, name, told["hosts"])
        if told["link"]:
            found["links"] = {**release["links"], name: told["link"]}
    del found["asleep"]
    return {**found, "asleep": asleep} if asleep else found


def _hosts(release: Release, name: str, running: list[str] | tuple[()]) -> dict[str, Any]:
    """The release's hosts, of which just ``running`` have the service."""
    found = {}
    for host, entry in release["hosts"].items():
        others = {service for service in entry["services"] if service != name}
        mine = {*others, name} if host in running else others
        found[host] = {**entry, "services": sorted(mine)}
    return found


def _noted(release: dict[str, Any], name: str, count: int, own: int) -> dict[str, Any]:
    """With what was asked for, and what the file says; nothing where both are the same."""
    scale = dict(release.get("scale") or {})
    scale.pop(name, None)
    if count != own:
        scale[name] = {"copies": count, "instead_of": own}
    found = {key: value for key, value in release.items() if key != "scale"}
    return {**found, "scale": scale} if scale else found
