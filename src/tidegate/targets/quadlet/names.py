"""No two units of an instance may have the same name: systemd would run only one of them.

``web.volume`` becomes ``web-volume.service``, which is also what ``web-volume.container`` becomes.
Source: podman-systemd.unit(5) 5.4, "Service Type" and the naming of generated services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tidegate.errors import InputError, Where
from tidegate.targets.quadlet.sheet import Path

# Of systemd's 255 (systemd.unit(5)), less what is put behind it: `.service`, a number, `.tmp`.
LONGEST_NAME = 230
# What the host calls the units of a service's migrations, their check, and its seed data.
TASKS = ("expand", "contract", "check", "seed")


def check_names(release: dict[str, Any], where: Callable[[Path], Where]) -> None:
    """``InputError`` when two things of the release lead to one systemd service."""
    seen: dict[str, tuple[str, Path]] = {}
    for service, what, path in _services(release):
        if service in seen:
            other, _ = seen[service]
            raise InputError(
                f"{what} and {other} would both be the systemd unit {service}.service",
                code="unit-name-clash",
                where=where(path),
                hint="rename one of them",
            )
        seen[service] = (what, path)
        check_length(service, path, where)


def check_length(name: str, path: Path, where: Callable[[Path], Where]) -> None:
    """``InputError`` when a name is too long for a file, which has 255 characters at most."""
    if len(name) > LONGEST_NAME:
        raise InputError(
            f"{name[:40]}…: a unit's name has at most {LONGEST_NAME} characters",
            code="unit-name-too-long",
            where=where(path),
            hint="give it a shorter name",
        )


def _services(release: dict[str, Any]) -> Iterator[tuple[str, str, Path]]:
    instance = release["instance"]
    for name, entry in release["services"].items():
        path: Path = ("services", name)
        stems = [f"{instance}-{name}"]
        if entry["strategy"] == "blue-green":
            stems = [f"{instance}-{name}-a", f"{instance}-{name}-b"]
            yield f"{instance}-{name}-front", f"the front of {name}", path
        for stem in stems:
            for index in range(1, entry["replicas"] + 1):
                unit = stem if index == 1 else f"{stem}-{index}"
                yield unit, f"service {name}", path
        if entry.get("migrate") or entry.get("seed"):
            for kind in TASKS:
                yield f"{instance}-{name}.{kind}", f"the {kind} of {name}", path
    for kind in ("network", "volume"):
        for name in release[f"{kind}s"]:
            yield f"{instance}-{name}-{kind}", f"{kind} {name}", (f"{kind}s", name)
