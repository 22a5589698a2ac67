"""What differs between two commits in what compose files, env files and tidegate.yaml say.

Compared is what they mean: a comment, or keys in another order, change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from tidegate.changes.compose_files import Composition
from tidegate.changes.model import APPLICATION, SERVICE, Because, Image, Service, Target
from tidegate.model.config import Config, ServiceSettings

Reasons = Iterator[tuple[Target, Because]]
Places = Collection[str]  # paths that differ
_ASSIGNED = r"\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*[=:]"
NEW = "is new"


def of_services(before: Composition, after: Composition, places: Places) -> Reasons:
    """Services that are new or say something else."""
    for name, now in after.services.items():
        then = before.services.get(name)
        rule = NEW if then is None else _difference(then, now)
        if rule:
            old = then.parts if then else {}
            files = [f for f in {**now.parts, **old} if f in places]
            differing = [f for f in files if now.parts.get(f) != old.get(f)]
            for file in differing or ("",):
                yield Target(SERVICE, name), Because(file, rule)


def of_images(
    before: Mapping[str, Image], after: Mapping[str, Image], found: Composition, places: Places
) -> Reasons:
    """Images that are new or built from something else."""
    for name, now in after.items():
        then = before.get(name)
        facts = ("build", "into", "at", "platforms")
        keys = [key for key in facts if then and getattr(then, key) != getattr(now, key)]
        if then is None or keys:
            said = [file for service in now.names for file in found.services[service].parts]
            said += [now.where.file if now.where else "", now.build.dockerfile]
            file = next((file for file in said if file in places), "")
            rule = f"another {_listed(keys)}" if then else NEW
            yield Target(APPLICATION, name), Because(file, rule)


def of_config(before: Config | None, after: Config | None, found: Composition) -> Reasons:
    """Services whose settings in tidegate.yaml differ, or whose variables do."""
    if after is None or before is None:
        return
    compared = [key for key in ServiceSettings.__match_args__ if key != "where"]
    for name in found.services:
        empty = ServiceSettings(name)
        then, now = before.services.get(name, empty), after.services.get(name, empty)
        keys = [key for key in compared if getattr(then, key) != getattr(now, key)]
        if keys:
            rule = f"services.{name}: {_listed(keys)}"
            yield Target(SERVICE, name), Because(after.file, rule)
    for key in ("project", "registry"):
        if getattr(before, key) != getattr(after, key):
            for name in found.services:
                yield Target(SERVICE, name), Because(after.file, f"{key} differs")
    then_all, now_all = _variables(before), _variables(after)
    names = {name for name, _ in set(then_all) ^ set(now_all)}
    yield from using(found, names, after.file)


def using(found: Composition, names: Collection[str], file: str) -> Reasons:
    """Services that use any of these variables, whose values a file gives."""
    for service in found.services.values():
        used = sorted(service.variables.intersection(names))
        if used:
            yield Target(SERVICE, service.name), Because(file, f"sets {_listed(used)}")


def assigned(before: str, after: str) -> set[str]:
    """The variables of an env file whose lines differ, in whatever way."""
    then, now = _lines(before), _lines(after)
    return {name for name in {*then, *now} if then.get(name) != now.get(name)}


def _lines(text: str) -> dict[str, str]:
    """Each variable with its lines: a value may go over several."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        begins = re.match(_ASSIGNED, line)
        if begins:
            name = begins[1]
            found[name] = line.strip()
        elif name and line.strip() and not line.lstrip().startswith("#"):
            found[name] += f"\n{line}"
    return found


def _variables(config: Config) -> list[tuple[str, tuple[str, str]]]:
    return [
        (name, (environment.name, value))
        for environment in config.environments.values()
        for name, value in environment.variables.items()
    ]


def _difference(then: Service, now: Service) -> str:
    """The keys that differ, for people. An image's recipe is told with the image."""
    old, new = then.definition(), now.definition()
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if "image" not in keys and "build" in keys:
        keys.remove("build")
    if not keys:
        return ""
    return f"{_listed(sorted(keys))} {'differ' if len(keys) > 1 else 'differs'}"


def _listed(words: Iterable[str]) -> str:
    found = list(words)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"{', '.join(found[:3])}{more}"
