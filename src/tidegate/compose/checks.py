"""Whether the parts of a project fit together: references, contradictions, cycles.

Source: https://github.com/compose-spec/compose-go/blob/v2.9.1/loader/validate.go.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from tidegate.compose.nodes import Node, fail

Entries = Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class Parts:
    """A project's sections; `disabled` services are those that no chosen profile enables."""

    services: dict[str, Node]
    disabled: Entries
    networks: Entries
    volumes: Entries
    secrets: Entries
    configs: Entries
    models: Entries


def check(parts: Parts) -> None:
    """InputError for the first part that does not fit; scale is copied into deploy."""
    for name, service in parts.services.items():
        _check_build(name, service, parts)
        _check_references(name, service, parts)
        _check_limits(name, service)
        _check_mounts(name, service)
    for name, secret in parts.secrets.items():
        if all(secret.get(key) is None for key in ("external", "file", "environment")):
            _bad(f"secret {name!r} must declare file or environment", secret, "compose-missing")
    _check_cycles(parts)
    _check_container_names(parts.services)


def _bad(message: str, at: Node, code: str, hint: str = "", subject: str = "") -> NoReturn:
    fail(message, at.key_at or at.at, code=code, hint=hint, subject=subject)


def _undefined(owner: str, kind: str, name: str, at: Node, known: Iterable[str]) -> NoReturn:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"define {name!r} at the top, under {kind}s:"
    if kind == "service":
        hint = f"did you mean {close[0]!r}?" if close else f"services: {', '.join(names)}"
    message = f"service {owner!r} refers to undefined {kind} {name!r}"
    _bad(message, at, "compose-undefined", hint, name if kind == "service" else "")


def _conflict(name: str, first: str, second: str, at: Node) -> NoReturn:
    _bad(
        f"services.{name}: {first} and {second} have different values",
        at,
        "compose-conflict",
        "set one of them",
    )


def _text(node: Node, key: str) -> str:
    found = node.get(key)
    return found.text() if found else ""


def _items(node: Node | None, key: str) -> list[Node]:
    found = node.get(key) if node is not None else None
    return found.items() if found else []


def _entries(node: Node, key: str) -> dict[str, Node]:
    found = node.get(key)
    return found.children() if found else {}


def _check_build(name: str, service: Node, parts: Parts) -> None:
    build = service.get("build")
    if build is None:
        if not _text(service, "image") and service.get("provider") is None:
            _bad(
                f"service {name!r} has neither an image nor a build",
                service,
                "compose-missing",
                "add image: or build:",
            )
        return
    if _text(build, "dockerfile") and _text(build, "dockerfile_inline"):
        _bad(
            f"service {name!r}: dockerfile and dockerfile_inline exclude each other",
            build,
            "compose-conflict",
        )
    for context in _entries(build, "additional_contexts").values():
        if context.text().startswith("service:"):
            target = context.text().removeprefix("service:")
            if target not in parts.services:
                _undefined(name, "service", target, context, parts.services)
            if parts.services[target].get("build") is None:
                _bad(
                    f"service {name!r} builds on {target!r}, which is not built",
                    context,
                    "compose-conflict",
                )
    platforms = [item.value for item in _items(build, "platforms")]
    platform = _text(service, "platform")
    if platforms and platform and platform not in platforms:
        _bad(
            f"service {name!r}: build.platforms lacks the service's platform {platform!r}",
            build,
            "compose-conflict",
        )


def _check_references(name: str, service: Node, parts: Parts) -> None:
    networks = _entries(service, "networks")
    mode = _text(service, "network_mode")
    if mode and networks:
        _bad(
            f"service {name!r}: network_mode and networks exclude each other",
            service.get("network_mode") or service,
            "compose-conflict",
            "remove one of them",
        )
    for network, at in networks.items():
        if network not in parts.networks:
            _undefined(name, "network", network, at, parts.networks)
    test = _items(service.get("healthcheck"), "test")
    if test and test[0].value not in ("CMD", "CMD-SHELL", "NONE"):
        _bad(
            f"services.{name}.healthcheck.test must begin with CMD, CMD-SHELL or NONE",
            test[0],
            "compose-healthcheck",
            'write ["CMD", "program", "argument"], or text for the shell',
        )
    _check_dependencies(name, service, parts)
    if mode.startswith("service:") and mode.removeprefix("service:") not in parts.services:
        at = service.get("network_mode") or service
        _undefined(name, "service", mode.removeprefix("service:"), at, parts.services)
    for volume in _items(service, "volumes"):
        source = _text(volume, "source")
        if _text(volume, "type") == "volume" and source and source not in parts.volumes:
            _undefined(name, "volume", source, volume, parts.volumes)
    build = service.get("build")
    for secret in (*_items(build, "secrets"), *_items(service, "secrets")):
        if _text(secret, "source") not in parts.secrets:
            _undefined(name, "secret", _text(secret, "source"), secret, parts.secrets)
    for config in _items(service, "configs"):
        if _text(config, "source") not in parts.configs:
            _undefined(name, "config", _text(config, "source"), config, parts.configs)
    for model, at in _entries(service, "models").items():
        if model not in parts.models:
            _undefined(name, "model", model, at, parts.models)


def _check_dependencies(name: str, service: Node, parts: Parts) -> None:
    for target, dependency in _entries(service, "depends_on").items():
        if target in parts.services:
            continue
        required = dependency.get("required")
        if target not in parts.disabled:
            _undefined(name, "service", target, dependency, parts.services)
        if required is None or required.value:
            profiles = [str(item.value) for item in _items(parts.disabled[target], "profiles")]
            _bad(
                f"service {name!r} depends on {target!r}, which no chosen profile enables",
                dependency,
                "compose-undefined",
                f"choose a profile of {', '.join(profiles)}, or set required: false",
            )


def _check_limits(name: str, service: Node) -> None:
    deploy = service.get("deploy")
    scale = service.get("scale")
    replicas = deploy.get("replicas") if deploy else None
    if scale is not None and deploy is not None:
        if replicas is not None and replicas.value != scale.value:
            _conflict(name, "scale", "deploy.replicas", scale)
        deploy.children()["replicas"] = replicas = scale
    for count in (scale, replicas):
        if count is not None and isinstance(count.value, int) and count.value < 0:
            _bad(
                f"services.{name}: the number of copies is below 0",
                count,
                "compose-schema",
                "0 stops the service",
            )
    resources = deploy.get("resources") if deploy else None
    limits = resources.get("limits") if resources else None
    reservations = resources.get("reservations") if resources else None
    pairs = (
        ("cpus", limits, "limits.cpus"),
        ("mem_limit", limits, "limits.memory"),
        ("mem_reservation", reservations, "reservations.memory"),
        ("pids_limit", limits, "limits.pids"),
    )
    for key, section, other in pairs:
        own = service.get(key)
        if own is None or section is None:
            continue
        found = section.get(other.partition(".")[2])
        if found is None or found.value != own.value:
            _conflict(name, key, f"deploy.resources.{other}", own)
    count = scale or replicas
    if count is not None and count.value not in (0, 1) and service.get("container_name"):
        _bad(
            f"services.{name}: several copies cannot share one container_name",
            service.get("container_name") or service,
            "compose-conflict",
            "remove container_name",
        )


def _check_mounts(name: str, service: Node) -> None:
    for trigger in _items(service.get("develop"), "watch"):
        if not _text(trigger, "target") and _text(trigger, "action") not in ("rebuild", "restart"):
            _bad(f"services.{name}.develop.watch needs a target", trigger, "compose-missing")
    targets: dict[str, Node] = {}
    mounts = [(item.text().partition(":")[0], item) for item in _items(service, "tmpfs")]
    mounts += [(_text(item, "target"), item) for item in _items(service, "volumes")]
    for target, at in mounts:
        if target in targets:
            line = targets[target].at[1]
            _bad(
                f"services.{name}: {target} is mounted twice, first at line {line}",
                at,
                "compose-conflict",
                "remove one of the two",
            )
        targets[target] = at


def _check_cycles(parts: Parts) -> None:
    """A dependency cycle, found by walking once through every service."""
    done: set[str] = set()
    for start in sorted(parts.services):
        path: list[str] = []
        stack = [(start, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                done.add(path.pop())
                continue
            if name in done:
                continue
            path.append(name)
            stack.append((name, True))
            for target, at in sorted(_entries(parts.services[name], "depends_on").items()):
                if target in path:
                    steps = " -> ".join((*path[path.index(target) :], target))
                    _bad(
                        f"dependency cycle: {steps}", at, "compose-cycle", "take one depends_on out"
                    )
                if target in parts.services and target not in done:
                    stack.append((target, False))


def _check_container_names(services: Mapping[str, Node]) -> None:
    names: dict[str, str] = {}
    for name, service in sorted(services.items()):
        own = service.get("container_name")
        if own is None:
            continue
        if own.text() in names:
            _bad(
                f"services.{name}: container name {own.text()!r} belongs to service"
                f" {names[own.text()]!r}",
                own,
                "compose-conflict",
            )
        names[own.text()] = name
