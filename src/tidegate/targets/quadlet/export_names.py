"""Names of exported units and containers: no two are the same, whatever services are called.

``web.volume`` becomes ``web-volume.service``, which is also what ``web-volume.container`` becomes,
and a service ``web-1`` may stand beside the first copy of ``web``. Who comes first keeps the name
that CONFIG.md promises: services of one copy, then others, then networks and volumes.
Source: podman-systemd.unit(5) 5.4, on the names of generated services.
"""

from __future__ import annotations

from collections.abc import Iterable

from tidegate.targets.quadlet.scope import Names, Scope
from tidegate.targets.quadlet.strategy import replicas


def names_of(scope: Scope, services: Iterable[str]) -> Names:
    """The names of all that is exported; ``services`` are those that are containers."""
    project = scope.project
    taken: set[str] = set()
    units = {}
    for name in sorted(services, key=lambda name: (replicas(scope, name) > 1, name)):
        units[name] = tuple(_free(stem, "", taken) for stem in stems(scope, name))
    networks = {
        key: _free(f"{scope.instance}-{key}", "-network", taken) for key in project.networks
    }
    volumes = {key: _free(f"{scope.instance}-{key}", "-volume", taken) for key in project.volumes}
    return Names(units, _containers(scope, units), networks, volumes)


def stems(scope: Scope, name: str) -> tuple[str, ...]:
    """What a service's units should be called: one for each copy, and one for none."""
    stem, count = f"{scope.instance}-{name}", replicas(scope, name)
    return (stem,) if count < 2 else tuple(f"{stem}-{index}" for index in range(1, count + 1))


def _free(stem: str, suffix: str, taken: set[str]) -> str:
    """``stem``, or with a number behind it, so that its service is the only one of its name."""
    number, found = 1, stem
    while found + suffix in taken:
        number += 1
        found = f"{stem}_{number}"
    taken.add(found + suffix)
    return found


def _containers(scope: Scope, units: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Containers are called as their units are, but for the names that the file gives."""
    given = {name: str(scope.service(name).get("container_name") or "") for name in units}
    taken = set(filter(None, given.values()))
    return {
        name: tuple(_own(given[name], stems)) or tuple(_free(stem, "", taken) for stem in stems)
        for name, stems in units.items()
    }


def _own(given: str, stems: tuple[str, ...]) -> Iterable[str]:
    return [given] if given and len(stems) == 1 else []
