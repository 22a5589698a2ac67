"""The keys of tidegate.yaml: one table for each section, and what each may hold.

Pure. The tables are also the source of the reference page (``tidegate.config.reference``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.compose.nodes import Node, fail, where
from tidegate.config import fields
from tidegate.config.fields import Reader, required, section
from tidegate.model.config import (
    Application,
    Environment,
    Gate,
    Host,
    Migration,
    Notification,
    Policy,
    ServiceSettings,
    Switch,
)

NAME_RULE = "lower case letters, digits and '-', beginning with a letter or digit"
PROJECT_RULE = "lower case letters, digits, '-' and '_', beginning with a letter or digit"
SERVICE_RULE = "letters, digits, '.', '-' and '_', as in a compose file"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_PROJECT = r"[a-z0-9][a-z0-9_-]{0,39}"
_SERVICE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]*")

COMMAND = fields.texts
MIGRATE: Mapping[str, Reader] = {
    "command": COMMAND,
    "check": COMMAND,
    "kind": fields.choice("expand", "contract"),
    "timeout": fields.duration,
}
DELIVER: Mapping[str, Reader] = {"into": fields.text, "at": fields.matching(r"/.*", "a full path")}
SWITCH: Mapping[str, Reader] = {
    "batch": lambda node: 0 if node.value == "all" else fields.whole(1, 1000)(node),
    "watch": fields.duration,
    "max_error_rate": fields.share,
    "min_requests": fields.whole(1, 1_000_000),
    "drain": fields.duration,
    "lease": fields.duration,
    "keep": fields.whole(1, 100),
}
GATES: Mapping[str, Mapping[str, Reader]] = {
    "approval": {"by": fields.text_or_texts, "count": fields.whole(1, 100)},
    "soak": {"in": fields.text, "for": fields.duration},
    "window": {"days": fields.text_or_texts, "hours": fields.text, "zone": fields.text},
    "check": {"command": COMMAND, "timeout": fields.duration},
}
IMAGES: Mapping[str, Reader] = {
    "own": fields.choice("signed", "any"),
    "third_party": fields.choice("pinned", "mirrored", "any"),
}
NOTIFICATION: Mapping[str, Reader] = {"to": fields.text, "on": fields.texts}


def named(
    node: Node, what: str, pattern: re.Pattern[str], rule: str, read: Callable[[str, Node], Any]
) -> Mapping[str, Any]:
    """A mapping whose keys the user chose: each key is checked, each value read with its name."""
    found = {}
    for key, value in fields.mapping(node, what).items():
        fields.check_name(key, pattern, rule, value)
        found[key] = read(key, value)
    return found


def migrate(node: Node) -> Migration:
    """``migrate:`` of a service."""
    values = section(node, "migrate", MIGRATE)
    required(node, "migrate", values, "command")
    if "timeout" in values:
        values["timeout_s"] = values.pop("timeout")
    return Migration(**values)


SERVICE: Mapping[str, Reader] = {
    "route": fields.text,
    "port": fields.port,
    "health": fields.matching(r"/\S*", "a path, such as /health"),
    "strategy": fields.choice("blue-green", "recreate", "job"),
    "on": fields.text_or_texts,
    "stateful": fields.truth,
    "migrate": migrate,
    "schedule": fields.matching(r"\S+( \S+){4}", "five fields as in crontab(5)"),
}


def service(name: str, node: Node) -> ServiceSettings:
    """The settings of one service, from tidegate.yaml or from its ``x-tidegate``."""
    values = section(node, f"service {name}", SERVICE)
    return ServiceSettings(name, **values, where=where(node.key_at or node.at))


APPLICATION: Mapping[str, Reader] = {
    "context": fields.text,
    "dockerfile": fields.text,
    "watch": fields.texts,
    "platforms": fields.texts,
    "deliver": lambda node: section(node, "deliver", DELIVER),
}


def application(name: str, node: Node) -> Application:
    """One entry of ``applications``."""
    values = section(node, f"application {name}", APPLICATION)
    deliver = values.pop("deliver", {})
    return Application(name, **values, **deliver, where=where(node.key_at or node.at))


HOST: Mapping[str, Reader] = {
    "ssh": fields.ssh_destination,
    "address": fields.matching(r"[0-9A-Za-z:.-]+", "an IP address or a host name"),
    "roles": fields.texts,
    "witness": fields.truth,
    "port": fields.port,
}


def host(name: str, node: Node) -> Host:
    """One entry of ``hosts``."""
    values = section(node, f"host {name}", HOST)
    required(node, f"host {name}", values, "ssh")
    return Host(name, **values, where=where(node.key_at or node.at))


def hosts(node: Node) -> Mapping[str, Host]:
    """``hosts:``; at least one, and at most one witness."""
    found = named(node, "hosts", _NAME, NAME_RULE, host)
    if not found:
        fail("an environment needs at least one host", node, code="config-no-hosts")
    witnesses = [name for name, entry in found.items() if entry.witness]
    if len(witnesses) > 1:
        fail(
            f"an environment has one witness, and here are {', '.join(witnesses)}",
            node.children()[witnesses[1]],
            code="config-witnesses",
            hint="leave `witness: true` at one host",
        )
    return found


def switch(node: Node) -> Switch:
    """``switch:``; durations become seconds."""
    values = section(node, "switch", SWITCH)
    for key in ("watch", "drain", "lease"):
        if key in values:
            values[f"{key}_s"] = values.pop(key)
    return Switch(**values)


def gates(node: Node) -> tuple[Gate, ...]:
    """``gates:``, a list of mappings of one key each."""
    return tuple(gate(item) for item in fields.items(node))


def gate(node: Node) -> Gate:
    """One gate: its kind and its settings."""
    readers: dict[str, Reader] = {
        kind: lambda inner, kind=kind: section(inner, kind, GATES[kind])  # type: ignore[misc]
        for kind in GATES
    }
    values = section(node, "a gate", readers)
    if len(values) != 1:
        fail("a gate is a mapping of one key", node, code=fields.CODE_TYPE)
    [(kind, settings)] = values.items()
    return Gate(kind, settings, where=where(node.at))


def variables(node: Node) -> Mapping[str, str]:
    """``variables:``; numbers and truth values are taken as their text."""
    entries = fields.mapping(node, "variables")
    for key, value in entries.items():
        fields.check_name(key, _VARIABLE, "letters, digits and '_', not a digit first", value)
    return {key: fields.scalar_text(value) for key, value in entries.items()}


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

ENVIRONMENT: Mapping[str, Reader] = {
    "hosts": hosts,
    "variables": variables,
    "env_file": fields.text,
    "secrets": fields.text,
    "deploy": fields.choice("automatic", "manual"),
    "verify": fields.texts,
    "gates": gates,
    "switch": switch,
}


def environment(name: str, node: Node) -> Environment:
    """One entry of ``environments``."""
    values = section(node, f"environment {name}", ENVIRONMENT)
    required(node, f"environment {name}", values, "hosts")
    return Environment(name, **values, where=where(node.key_at or node.at))


POLICY: Mapping[str, Reader] = {
    "images": lambda node: section(node, "images", IMAGES),
    "block": fields.choice("critical", "high", "medium", "low", "none"),
}


def policy(node: Node) -> Policy:
    """``policy:``."""
    values = section(node, "policy", POLICY)
    images = values.get("images", {})
    return Policy(
        own_images=images.get("own", ""),
        third_party_images=images.get("third_party", "pinned"),
        block=values.get("block", ""),
    )


def notification(node: Node) -> Notification:
    """One entry of ``notify``."""
    values = section(node, "a notification", NOTIFICATION)
    required(node, "a notification", values, "to")
    return Notification(**values)


def version(node: Node) -> int:
    """``version:``, which is 1."""
    if node.value != 1 or isinstance(node.value, bool):
        fail(
            f"version must be 1, not {fields.kind(node)}",
            node,
            code="config-version",
            hint="a newer tidegate may read this file",
        )
    return 1


TOP: Mapping[str, Reader] = {
    "version": version,
    "project": fields.matching(_PROJECT, PROJECT_RULE),
    "registry": fields.text,
    "compose": fields.text_or_texts,
    "applications": lambda n: named(n, "applications", _SERVICE, SERVICE_RULE, application),
    "services": lambda n: named(n, "services", _SERVICE, SERVICE_RULE, service),
    "people": lambda n: named(n, "people", _NAME, NAME_RULE, lambda _, value: fields.text(value)),
    "environments": lambda n: named(n, "environments", _NAME, NAME_RULE, environment),
    "policy": policy,
    "notify": lambda n: tuple(notification(item) for item in fields.items(n)),
}
