"""Units and containers of somebody else that bear names of ours: shown, and never overwritten.

The mark in a unit's first line says whose it is. A name that no release of ours needs is left
alone; one that a deployment needs stops it, before anything is touched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Collection, Dict, List, Set

from tidegate.host import timers
from tidegate.host.errors import HostError
from tidegate.host.files import read_text
from tidegate.host.fronts import unit as front
from tidegate.host.layout import SLOTTED, Release, unit_names
from tidegate.host.paths import Paths

MARK = "# Made by tidegate"
# What Quadlet reads: podman-systemd.unit(5), Podman 5.4.
SUFFIXES = (".container", ".network", ".volume", ".pod", ".kube", ".image", ".build")
IN_THE_WAY = "it is not ours, and a deployment needs its name"
LEFT_ALONE = "it is not ours, though named like ours: it is left alone"
DROP_IN = "it changes a unit of ours, and is not ours: it is left alone"


def names(release: Release) -> Set[str]:
    """The containers that a release may have on this host, in either slot, with their fronts."""
    found: Set[str] = set()
    for service, entry in release["services"].items():
        slotted = entry["strategy"] in SLOTTED
        for slot in ("a", "b") if slotted else ("",):
            found.update(unit_names(release, service, slot))
        if slotted:
            found.add(front(release, service))
    return found


def files(release: Release) -> Set[str]:
    """The unit files that a release may write on this host."""
    found = {f"{name}.container" for name in names(release)}
    for kind in ("network", "volume"):
        for name, entry in release[f"{kind}s"].items():
            if not entry["external"]:
                found.add(f"{release['instance']}-{name}.{kind}")
    return found


def look(paths: Paths, release: Release, ours: Collection[str]) -> Dict[str, str]:
    """What of somebody else's bears a name of ours here: its file → what that means.

    `ours` are the unit files that are known to be ours, whatever is written in them.
    """
    wanted = files(release) if release else set()
    found = {}
    for name in sorted(_written(paths.units) - set(ours)):
        like_ours = name in wanted or name.startswith(f"{paths.instance}-")
        if like_ours and not (read_text(paths.units / name) or "").startswith(MARK):
            found[name] = IN_THE_WAY if name in wanted else LEFT_ALONE
    for name in sorted(names(release)) if release else ():
        found.update(_shadows(paths, name))
    for name in timers.names(release) if release else ():
        text = read_text(timers.folder(paths) / name)
        if text is not None and not text.startswith(MARK):
            found[name] = IN_THE_WAY
    return found


def _written(folder: Path) -> Set[str]:
    if not folder.is_dir():
        return set()
    entries = {entry.name for entry in folder.iterdir() if entry.suffix in SUFFIXES}
    return {name for name in entries if not name.startswith(".")}


def _shadows(paths: Paths, name: str) -> Dict[str, str]:
    """What systemd takes in place of Quadlet's unit, or on top of it: systemd.unit(5)."""
    found = {}
    user = paths.home / ".config/systemd/user"
    service = user / f"{name}.service"
    if service.is_symlink() or service.exists():
        found[service.name] = IN_THE_WAY
    for folder in (user / f"{name}.service.d", paths.units / f"{name}.container.d"):
        for entry in sorted(folder.glob("*.conf")) if folder.is_dir() else ():
            found[f"{folder.name}/{entry.name}"] = DROP_IN
    return found


def refuse(paths: Paths, release: Release, ours: Collection[str], others: Collection[str]) -> None:
    """HostError (refused) where a name that `release` needs is somebody else's.

    `others` are the names of all containers here that are not ours.
    """
    told = [name for name, what in look(paths, release, ours).items() if what == IN_THE_WAY]
    taken: List[Any] = [("unit", name) for name in told]
    taken += [("container", name) for name in sorted(names(release) & set(others))]
    if taken:
        kind, name = taken[0]
        raise HostError(
            "refused",
            "name-taken",
            f"the {kind} {name} on this host is not ours, and bears a name that we need",
            subject=name,
            hint="rename or remove it on the host; Tidegate overwrites nothing of others",
        )
