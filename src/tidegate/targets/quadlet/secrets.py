"""Compose secrets as Podman secrets: the release names them, the host adds the version.

A value never comes near here; ``sources`` says only where the controller finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidegate.errors import InputError, Where
from tidegate.targets.quadlet.rows import Service, below
from tidegate.targets.quadlet.scope import Project
from tidegate.targets.quadlet.sheet import PATH


@dataclass(frozen=True, slots=True)
class SecretSource:
    """``secret`` is the name on the host; exactly one of ``file`` and ``variable`` is set."""

    name: str
    secret: str
    file: str
    variable: str
    where: Where


def row(service: Service, at: str, value: Any) -> None:
    """The row ``secrets``."""
    for index, use in enumerate(value):
        source = use["source"]
        target = str(use.get("target") or source)
        secret = service.scope.project.secrets[source]
        external = bool(secret.get("external"))
        entry: dict[str, Any] = {
            "name": source,
            "secret": str(secret.get("name") or source)
            if external
            else f"{service.scope.instance}_{source}",
            "type": "mount",
            "target": target if target.startswith("/") else f"/run/secrets/{target}",
        }
        if external:
            entry["external"] = True
        for name in ("uid", "gid", "mode"):
            if use.get(name):
                entry[name] = str(use[name])
        for text in entry.values():
            service.sheet.named((at, index), str(text), PATH)
        service.found.secrets.append(entry)
        for leaf in below(use, (at, index)):
            service.sheet.also(leaf, "native", "Secret")


def sources(project: Project, instance: str) -> tuple[SecretSource, ...]:
    """The secrets that services use, and where their values are; external ones are the host's."""
    used = {
        use["source"]
        for compose in project.services.values()
        for use in compose.get("secrets") or []
        if not project.secrets[use["source"]].get("external")
    }
    return tuple(_source(project, instance, name) for name in sorted(used))


def _source(project: Project, instance: str, name: str) -> SecretSource:
    secret = project.secrets[name]
    where = project.where(("secrets", name))
    file, variable = secret.get("file") or "", secret.get("environment") or ""
    if not file and not variable:
        raise InputError(
            f"secret {name} has no file, no variable, and is not external",
            code="secret-source",
            where=where,
            hint="give `file:` or `environment:`",
        )
    return SecretSource(name, f"{instance}_{name}", str(file), str(variable), where)
