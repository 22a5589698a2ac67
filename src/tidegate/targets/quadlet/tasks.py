"""Migrations and seed data of a service: the service itself with another command, run once. Pure.

A task has the image, environment, secrets, volumes and networks of its service. Nobody calls it,
so it has no ports and no names, and it ends, so it has no health check and no restarts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tidegate.errors import InputError
from tidegate.model.config import Migration, Seed
from tidegate.targets.quadlet.rows import Service
from tidegate.targets.quadlet.scope import Found
from tidegate.targets.quadlet.sheet import Sheet

# What a service has because it goes on, or because others call it.
OF_SERVERS = frozenset(
    {"healthcheck", "ports", "expose", "container_name", "restart", "scale"}
    | {"post_start", "pre_stop", "mac_address"}
)
CHECKED_NOT: Mapping[str, Any] = {"disable": True}  # the image's own check, too
Write = Callable[[Service], Any]
Task = Mapping[str, Any]


def tasks(service: Service, image: str, write: Write) -> dict[str, Any]:
    """The release's ``migrate`` (None for none) and, where there is one, ``seed`` of a service.

    ``write`` fills a service's sheet by the table.
    """
    scope, setting = service.scope, service.scope.setting(service.name)
    if scope.strategies[service.name] == "job" and (setting.migrate or setting.seed):
        raise InputError(
            f"{service.name} is a job, and a job has no migrations of its own",
            code="job-migrates",
            where=setting.where,
            hint="give them to the service that waits for it, or let the job itself migrate",
        )
    make = Maker(service, image, write)
    return {
        "migrate": [make.migration(each) for each in setting.migrate] or None,
        **({"seed": make.task(setting.seed)} if setting.seed else {}),
    }


class Maker:
    """Makes the tasks of one service."""

    def __init__(self, service: Service, image: str, write: Write) -> None:
        self._service = service
        self._image = image
        self._write = write

    def migration(self, wanted: Migration) -> dict[str, Any]:
        """An entry of ``migrate``: a task of its kind, and the unit of its check."""
        check = self._unit(wanted.check, wanted.timeout_s) if wanted.check else None
        return {
            **self.task(wanted),
            "kind": wanted.kind,
            "check": list(wanted.check),
            "check_unit": check,
        }

    def task(self, wanted: Migration | Seed) -> dict[str, Any]:
        """What is run, for people and as a unit; ``timeout_s`` is seconds."""
        return {
            "command": list(wanted.command),
            "timeout_s": wanted.timeout_s,
            "unit": self._unit(wanted.command, wanted.timeout_s),
        }

    def _unit(self, command: Sequence[str], timeout_s: float) -> dict[str, Any]:
        """The lines of a unit that runs ``command`` in the service's place, to its end."""
        known, name = self._service, self._service.name
        scope = known.scope
        sheet = Sheet(known.sheet.path, "Container", scope.project.where)
        found = Found(files=known.found.files, volumes=known.found.volumes)
        service = Service(sheet, scope, name, found)
        service.compose = _compose(known.compose, command)
        sheet.raw("Unit", "Description", f"a task of {name} of {scope.instance}".replace("%", "%%"))
        sheet.key(("image",), "Image", self._image)
        self._write(service)
        sheet.raw("Service", "TimeoutStartSec", str(math.ceil(timeout_s)))
        return sheet.lines


def _compose(body: Mapping[str, Any], command: Sequence[str]) -> dict[str, Any]:
    """The service's own keys but for those of servers, with another command."""
    kept = {key: value for key, value in body.items() if key not in OF_SERVERS}
    limits = (body.get("deploy") or {}).get("resources")
    deploy = {"deploy": {"resources": limits}} if limits else {}
    return {**kept, "deploy": None, **deploy, "command": list(command), "healthcheck": CHECKED_NOT}
