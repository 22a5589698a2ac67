"""A service's settings: what tidegate.yaml and the compose file's ``x-tidegate`` say together.

Pure. The same key with two different values is an error that names both places.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any

from tidegate.compose.nodes import Node
from tidegate.config import schema
from tidegate.config.filled import filled
from tidegate.config.nearest import nearest
from tidegate.errors import InputError, Where
from tidegate.model.config import Config, Migration, Path, Seed, ServiceSettings

EXTENSION = "x-tidegate"
Places = Callable[[tuple[str | int, ...]], Where]


def service_settings(
    config: Config,
    services: Mapping[str, Mapping[str, Any]],
    where: Places,
    variables: Mapping[str, str],
    disabled: Collection[str] = (),
) -> dict[str, ServiceSettings]:
    """The settings of every composed service, its variables replaced.

    ``services``, ``where`` and ``disabled`` (by profiles) are those of a loaded compose project.
    Settings for a service that the compose files do not have are an ``InputError`` naming the
    nearest service; those for a disabled one wait for its profile.
    """
    for name, own in config.services.items():
        if name not in services and name not in disabled:
            close = nearest(name, services)
            raise InputError(
                f"services.{name} has settings, but no compose file has a service {name!r}",
                code="unknown-service",
                where=own.where,
                hint=f"did you mean {close}?" if close else "",
            )
    return {
        name: merged(config, name, body.get(EXTENSION), where, variables)
        for name, body in services.items()
    }


def merged(
    config: Config, name: str, extension: Any, where: Places, variables: Mapping[str, str]
) -> ServiceSettings:
    """One service's settings from both places."""
    own = config.services.get(name, ServiceSettings(name))
    own = resolved(own, variables, config.where("services", name, "route"))
    if extension is None:
        return own
    path = ("services", name, EXTENSION)
    theirs = schema.service(name, node_of(extension, path, where))
    mine = config.where("services", name) if name in config.services else None
    taken: dict[str, Any] = {}
    for key, empty in defaults().items():
        value, other = getattr(own, key), getattr(theirs, key)
        if value != empty and other != empty and value != other:
            raise InputError(
                f"{key} of service {name} is {shown(value)} in {config.file} "
                f"and {shown(other)} in {EXTENSION}",
                code="settings-differ",
                where=where((*path, key)),
                hint=f"keep one of them; the other is at {config.where('services', name, key)}",
            )
        taken[key] = value if value != empty else other
    return ServiceSettings(name, **taken, where=mine or where(path))


def defaults() -> dict[str, Any]:
    """The keys of a service's settings with their empty values."""
    empty = ServiceSettings("")
    names = [field.name for field in dataclass_fields(empty) if field.compare]
    return {name: getattr(empty, name) for name in names if name != "name"}


def resolved(
    settings: ServiceSettings, variables: Mapping[str, str], where: Where
) -> ServiceSettings:
    """The settings with the variables of their route replaced; one without a value is an error."""
    if "$" not in settings.route:
        return settings
    hint = "set {name} under the environment's variables, in its env_file or in .env"
    return replace(settings, route=filled(settings.route, variables.get, where, hint))


def node_of(value: Any, path: Path, where: Places) -> Node:
    """A plain value of a compose project as a node with its place."""
    place = where(path)
    at = (place.file, place.line, place.column)
    if isinstance(value, Mapping):
        value = {key: node_of(child, (*path, key), where) for key, child in value.items()}
    elif isinstance(value, list):
        value = [node_of(child, (*path, index), where) for index, child in enumerate(value)]
    return Node(value, at, at)


def shown(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, tuple):
        return ", ".join(shown(part) for part in value)
    if isinstance(value, Migration | Seed):
        kind = f"{value.kind}: " if isinstance(value, Migration) else ""
        return kind + " ".join(value.command)
    return str(value)
