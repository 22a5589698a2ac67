"""``deliver:``: the files of an application go into another service, and do not run on their own.

The content is a companion tree of that service, read-only at one path: it travels with the release
under its digest, its change renews only that service, and it goes back with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tidegate.compose import Project
from tidegate.compose.folders import APPLICATIONS
from tidegate.config.nearest import nearest
from tidegate.errors import InputError, Where
from tidegate.model.config import Application, Config

# Of an application's folder, what is delivered where nothing else is said.
CONTENT = "src"


def delivered(config: Config, project: Project) -> Project:
    """The project with every bundle mounted where it is delivered to.

    A bundle that is switched off goes nowhere, and nothing goes into a service that is off.
    ``InputError`` for a service or a folder that is not there, and for a path that is taken.
    """
    off = {folder.path for folder in config.layout.folders if folder.off}
    services = dict(project.services)
    for name, bundle in config.applications.items():
        service = bundle.into
        if not service or f"{APPLICATIONS}/{name}" in off:
            continue
        source = _content(config, name, bundle, project.working_dir)
        where = config.where("applications", name, "deliver", "into")
        if service in project.disabled or service in project.switched_off:
            continue
        if service not in services:
            close = nearest(service, services)
            raise InputError(
                f"{name} is delivered into {service!r}, and no compose file has that service",
                code="unknown-service", where=where,
                hint=f"did you mean {close}?" if close else "",
            )  # fmt: skip
        services[service] = _mounted(services[service], name, bundle.at, source, where)
    return replace(project, services=services)


def _content(config: Config, name: str, bundle: Application, inside: str) -> str:
    """The folder that is delivered: ``context``, else ``src`` of the application's folder."""
    where = config.where("applications", name, "context" if bundle.context else "deliver")
    folder = Path(config.root, APPLICATIONS, name)
    chosen = Path(config.root, bundle.context) if bundle.context else folder / CONTENT
    if not bundle.context and not chosen.is_dir():
        chosen = folder
    resolved = chosen.resolve()
    shown = bundle.context or f"{APPLICATIONS}/{name}"
    if not resolved.is_dir() or not any(path.is_file() for path in resolved.rglob("*")):
        raise InputError(
            f"there is nothing to deliver in {shown}", code="deliver-empty", where=where,
            hint=f"put files there, or say which folder: applications: {name}: {{context: …}}",
        )  # fmt: skip
    if not resolved.is_relative_to(Path(inside).resolve()):
        raise InputError(
            f"{shown} is outside of the compose files' folder", code="deliver-outside",
            where=where, hint=f"only what is below {inside} belongs to the project",
        )  # fmt: skip
    return str(resolved)


def _mounted(
    body: Mapping[str, Any], name: str, at: str, source: str, where: Where
) -> dict[str, Any]:
    mounts = list(body.get("volumes") or ())
    target = at.rstrip("/") or "/"
    if any(str(mount.get("target") or "").rstrip("/") == target for mount in mounts):
        raise InputError(
            f"{name} is delivered to {at}, and the compose file mounts something there",
            code="deliver-taken", where=where, hint="keep one of them",
        )  # fmt: skip
    options = {"create_host_path": False}
    bind = {"type": "bind", "source": source, "target": target, "read_only": True, "bind": options}
    return {**body, "volumes": [*mounts, bind]}
