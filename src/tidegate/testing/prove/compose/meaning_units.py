"""What ``restart``, ``depends_on`` and health mean to systemd, and whether the services say it.

Sources: systemd.unit(5), systemd.service(5);
https://docs.docker.com/reference/compose-file/services/#depends_on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Project = Mapping[str, Any]
RESTART = {"unless-stopped": "always", "none": "no", "any": "always", "": "always"}


def check(
    project: Project, units: Mapping[str, Sequence[str]], services: Mapping[str, str]
) -> Iterator[str]:
    """Every difference; ``units`` are the names of each service's generated units."""
    for name, made in units.items():
        service = project["services"][name]
        for unit in made:
            said = settings(services[unit])
            for line in _unit(project, name, service, said, units):
                yield f"{unit}: {line}"


def settings(text: str) -> dict[str, list[str]]:
    """The values of every key of a unit, but for those that only Quadlet reads."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in text.split("\n"):
        if line.startswith("["):
            section = line
        key, equals, value = line.partition("=")
        if equals and not section.startswith("[X-") and re.fullmatch(r"\w+", key):
            found.setdefault(key, []).append(value)
    return found


def _unit(
    project: Project,
    name: str,
    service: Mapping[str, Any],
    said: Mapping[str, list[str]],
    units: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    once = name in _awaited(project) or _mode(service).endswith("-job")
    policy = restart(service)
    if policy == "always" and once:
        policy = "no"
    if said.get("Restart", ["no"])[-1] != policy:
        yield f"Restart={said.get('Restart', ['no'])[-1]}, not {policy}"
    if (said.get("Type") == ["oneshot"]) != once:
        yield f"Type={said.get('Type')}"
    for other, wait in (service.get("depends_on") or {}).items():
        for unit in units.get(other, ()):
            key = "Requires" if wait.get("required", True) else "Wants"
            for wanted in (key, "After"):
                if unit not in " ".join(said.get(wanted, [])).split():
                    yield f"{wanted}= lacks {unit}"
    (start,) = said["ExecStart"]
    if _is_checked(service) and not once and "--sdnotify=healthy" not in start:
        yield "who waits for its health waits for its start only"


def _awaited(project: Project) -> set[str]:
    return {
        other
        for service in project["services"].values()
        for other, wait in (service.get("depends_on") or {}).items()
        if wait["condition"] == "service_completed_successfully"
    }


def _mode(service: Mapping[str, Any]) -> str:
    return str((service.get("deploy") or {}).get("mode") or "")


def _is_checked(service: Mapping[str, Any]) -> bool:
    check = service.get("healthcheck") or {}
    test = check.get("test") or ["NONE"]
    return not check.get("disable") and test[0] != "NONE"


def restart(service: Mapping[str, Any]) -> str:
    """systemd's word for when a service is started again."""
    policy = (service.get("deploy") or {}).get("restart_policy")
    if policy:
        word = policy.get("condition") or ""
        return RESTART.get(word, word)
    word = str(service.get("restart") or "no").partition(":")[0]
    return RESTART.get(word, word)
