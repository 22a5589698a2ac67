"""``deploy`` and ``depends_on``: what the deployer does with them.

Source: https://docs.docker.com/reference/compose-file/deploy/.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

from tidegate.host.diff import copy_digest
from tidegate.targets.quadlet import resources, restart, strategy
from tidegate.targets.quadlet.health import health
from tidegate.targets.quadlet.rows import Service, below
from tidegate.targets.quadlet.scope import Scope

CLUSTER_ONLY = "for a cluster of Docker engines; docker compose does not act on it either"
SWITCH = "the environment's `switch:` says how traffic moves"


def row(service: Service, at: str, value: Mapping[str, Any]) -> None:
    """The row ``deploy``."""
    sheet = service.sheet
    for name, setting in sorted(value.items()):
        path = (at, name)
        if name == "resources":
            resources.resources(service, path, setting or {})
        elif name == "restart_policy":
            restart.restart_policy(service, path, setting or {})
        elif name == "replicas":
            sheet.deployed(path, "this many copies in a slot")
        elif name == "mode":
            sheet.deployed(path, "how often it runs: for ever, or once as a job")
        elif setting in ({}, None):
            sheet.default(path, "empty")
        elif name in ("update_config", "rollback_config"):
            for leaf in below(setting, path):
                sheet.deployed(leaf, SWITCH)
        elif name in ("labels", "placement"):
            for leaf in below(setting, path):
                sheet.ignored(leaf, CLUSTER_ONLY)
        elif name == "endpoint_mode":
            sheet.harmless(path, CLUSTER_ONLY)
    if not value:
        sheet.default((at,), "empty")


def depends_on(service: Service, at: str, value: Mapping[str, Any]) -> None:
    """The row ``depends_on``: order at deployment and at boot, written by the host."""
    for other, wait in value.items():
        for name in wait:
            if name == "restart" and other in strategy.restarts_with(service.compose):
                service.sheet.deployed((at, other, name), f"made new whenever {other} is")
            else:
                service.sheet.also((at, other, name), "unit", "After", "written by the host")
        if wait.get("condition") == "service_healthy" and other in service.scope.project.services:
            body = service.scope.service(other)
            if not health(body, service.scope.facts(other)).test:
                service.sheet.refuse(
                    (at, other, "condition"),
                    f"{other} has no health check, so it never becomes healthy",
                    f"give {other} a `healthcheck:`, or use service_started",
                )


def waits(service: Service) -> dict[str, dict[str, Any]]:
    """The release's ``depends_on``."""
    return {
        other: {
            "condition": wait.get("condition", "service_started"),
            "required": bool(wait.get("required", True)),
            "restart": bool(wait.get("restart", False)),
        }
        for other, wait in (service.compose.get("depends_on") or {}).items()
        if other in service.scope.project.services
    }


def restarts(scope: Scope, services: Mapping[str, dict[str, Any]]) -> None:
    """Make what says ``restart: true`` of a dependency new whenever that one is.

    The entry holds the dependency's digest: a change there is a change here. Source:
    https://docs.docker.com/reference/compose-file/services/#depends_on.
    """
    asked = {
        name: [other for other in strategy.restarts_with(scope.service(name)) if other in services]
        for name in services
    }
    for name in TopologicalSorter(asked).static_order():
        if asked[name]:
            known = {other: copy_digest(services[other], {}) for other in asked[name]}
            services[name]["restarts_with"] = known
