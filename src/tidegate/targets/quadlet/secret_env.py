"""Values that interpolate a secret: they leave the release and travel as Podman secrets. Pure.

While a project is loaded, the variable of a secret holds a mark in place of the value. Where
marks are left in the loaded project says which values are secret: an environment's may be, and
become a secret of their own that holds the whole value; anything else would be seen by whoever
looks at the host, and is refused with its line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidegate.errors import InputError
from tidegate.targets.quadlet.scope import Project

MARK = re.compile(r"⟦([A-Za-z_][A-Za-z0-9_]*)⟧")
# What podman takes as a secret's name: podman-secret-create(1), Podman 5.4.
PLAIN = re.compile(r"[A-Za-z0-9._-]+\Z")
Path = tuple[str | int, ...]


def mark(name: str) -> str:
    """What a secret's variable holds while a project is loaded."""
    return f"⟦{name}⟧"


@dataclass(frozen=True, slots=True)
class EnvSecret:
    """A variable of a service whose value is secret; ``template`` holds marks."""

    service: str
    variable: str
    secret: str
    template: str = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The secrets of which its value is made."""
        return tuple(dict.fromkeys(MARK.findall(self.template)))

    def value(self, values: Mapping[str, str]) -> str:
        """The whole value; ``values`` are those of the secrets."""
        return MARK.sub(lambda found: values[found[1]], self.template)

    def use(self) -> dict[str, Any]:
        """Its entry in the release: podman-run(1), --secret, type=env.

        What stands around the secrets is no secret, and a change of it is one of the service.
        """
        return {
            "name": ",".join(self.names),
            "secret": self.secret,
            "type": "env",
            "target": self.variable,
            "around": hashlib.sha256(self.template.encode()).hexdigest()[:12],
        }


def secret_env(project: Project, instance: str) -> list[EnvSecret]:
    """Every variable that is secret; ``InputError`` for a secret anywhere else.

    A compose secret with ``environment:`` is a place for one, a config is not.
    """
    found = []
    for name, config in project.configs.items():
        if MARK.search(project_variable(project, str(config.get("environment") or ""))):
            raise _exposed(project, ("configs", name, "environment"), str(config["environment"]))
    for path, text in _texts(project):
        if not MARK.search(text):
            continue
        if len(path) == 4 and path[0] == "services" and path[2] == "environment":
            service, variable = str(path[1]), str(path[3])
            secret = _name(instance, service, variable)
            found.append(EnvSecret(service, variable, secret, text))
            continue
        raise _exposed(project, path, ", ".join(MARK.findall(text)))
    return found


def _exposed(project: Project, path: Path, names: str) -> InputError:
    return InputError(
        f"{'.'.join(map(str, path))} holds the secret {names}, and everybody on the host can "
        "read it there",
        code="secret-exposed",
        where=project.where(path),
        hint="give it to the service in `environment:`, or as a file with `secrets:`",
    )


def project_variable(project: Project, name: str) -> str:
    """What a variable holds while the project is loaded."""
    return project.variables.get(name, "") if name else ""


def without(
    services: Mapping[str, Mapping[str, Any]], found: Sequence[EnvSecret]
) -> dict[str, Mapping[str, Any]]:
    """The services without the variables that are secret."""
    taken = {(each.service, each.variable) for each in found}
    result: dict[str, Mapping[str, Any]] = {}
    for name, body in services.items():
        variables = body.get("environment")
        if any(service == name for service, _ in taken):
            assert isinstance(variables, Mapping)
            left = {key: value for key, value in variables.items() if (name, key) not in taken}
            result[name] = {**body, "environment": left}
        else:
            result[name] = body
    return result


def _name(instance: str, service: str, variable: str) -> str:
    name = f"{instance}_{service}_{variable}"
    if PLAIN.match(name):
        return name
    return f"{instance}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _texts(project: Project) -> Iterator[tuple[Path, str]]:
    """Every text of the project with its path, keys too."""
    for part in ("services", "networks", "volumes", "secrets", "configs"):
        yield from _below(getattr(project, part), (part,))


def _below(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield (*path, str(key)), str(key)
            yield from _below(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _below(item, (*path, index))
