"""Short forms become long forms, and missing details get their defaults.

Source: https://github.com/compose-spec/compose-go/tree/v2.9.1/transform.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from tidegate.compose.gopath import clean_path
from tidegate.compose.gotext import sprint_node
from tidegate.compose.merge import dependency_defaults
from tidegate.compose.mounts import parse_mount
from tidegate.compose.nodes import Node, Path, dotted, fail
from tidegate.compose.ports import PortError, parse_port

_CODE = "compose-type"
Change: TypeAlias = Callable[[Node, Path], Node]


def canonical(root: Node) -> Node:
    """The project in long forms only."""
    return _apply(root, _LONG, ())


def with_defaults(root: Node) -> Node:
    """The project with the defaults that docker compose writes out."""
    return _apply(root, _DEFAULTS, ())


def _apply(node: Node, changes: Any, path: Path) -> Node:
    """Change this node, or what is below it; a change stops the descent, unless it says more."""
    if not isinstance(changes, dict):
        change: Change = changes
        return change(node, path)
    if "" in changes:
        node = changes[""](node, path)
    if isinstance(node.value, dict):
        rest = changes.get("*")
        for key, child in node.value.items():
            below = changes.get(key, rest)
            if below is not None:
                node.value[key] = _apply(child, below, (*path, key))
    elif isinstance(node.value, list) and "*" in changes:
        below = changes["*"]
        node.value[:] = [_apply(item, below, (*path, i)) for i, item in enumerate(node.value)]
    return node


def _wrong(node: Node, path: Path, wanted: str) -> Node:
    fail(f"{dotted(path)} must be {wanted}", node, code=_CODE)


def _build(node: Node, path: Path) -> Node:
    if isinstance(node.value, str):
        return node.become({"context": node.become(node.value)})
    return node if isinstance(node.value, dict) else _wrong(node, path, "text or a mapping")


def _file_mount(node: Node, path: Path) -> Node:
    if isinstance(node.value, str):
        return node.become({"source": Node(node.value, node.at, None, node.used)})
    return node if isinstance(node.value, dict) else _wrong(node, path, "a name or a mapping")


def _key_value(node: Node, path: Path, alone: str | None = None) -> Node:
    """`[a=b]` as a mapping; only the key `alone` needs no value."""
    if isinstance(node.value, dict):
        return node
    if not isinstance(node.value, list):
        return _wrong(node, path, "a list or a mapping")
    found: dict[str, Node] = {}
    for item in node.value:
        key, equals, value = item.text().partition("=")
        if not equals and key != alone:
            fail(f"{dotted(path)}: {item.text()!r} is not key=value", item, code=_CODE)
        found[key] = Node(value if equals else None, item.at, item.at, item.used)
    return node.become(found)


def _depends_on(node: Node, path: Path) -> Node:
    if isinstance(node.value, dict):
        for name, child in node.value.items():
            if not isinstance(child.value, dict):
                _wrong(child, (*path, name), "a mapping")
            node.value[name] = child.become({**dependency_defaults(child), **child.children()})
        return node
    return _names(node, path, dependency_defaults)


def _names(
    node: Node, path: Path, default: Callable[[Node], dict[str, Node]] | None = None
) -> Node:
    """`[a, b]` as a mapping."""
    if not isinstance(node.value, list):
        return node if default is None else _wrong(node, path, "a list or a mapping")
    found: dict[str, Node] = {}
    for item in node.value:
        if not isinstance(item.value, str):
            _wrong(item, path, "a list of names")
        found[item.text()] = Node(default(item) if default else None, item.at, item.at, item.used)
    return node.become(found)


def _env_file(node: Node, path: Path) -> Node:
    items = [node] if isinstance(node.value, str) else node.value
    if not isinstance(items, list):
        return _wrong(node, path, "a path or a list")
    found = []
    for item in items:
        entry = dict(item.children())
        if isinstance(item.value, str):
            entry["path"] = Node(item.value, item.at, None, item.used)
        entry.setdefault("required", Node(True, item.at))
        found.append(item.become(entry))
    return node.become(found)


def _list(node: Node, _path: Path) -> Node:
    return node.become([node]) if isinstance(node.value, str) else node


def _dns(node: Node, path: Path) -> Node:
    node = _list(node, path)
    if isinstance(node.value, list):
        return node.become([item for item in node.value if item.value not in (None, "")])
    return node


def _extends(node: Node, path: Path) -> Node:
    if isinstance(node.value, str):
        return node.become({"service": node})
    return node if isinstance(node.value, dict) else _wrong(node, path, "text or a mapping")


def _gpus(node: Node, path: Path) -> Node:
    if isinstance(node.value, str):
        return node.become([Node({"count": Node("all", node.at)}, node.at)])
    return node if isinstance(node.value, list) else _wrong(node, path, "`all` or a list")


def _volume(node: Node, path: Path) -> Node:
    if isinstance(node.value, dict):
        return node
    if not isinstance(node.value, str):
        return _wrong(node, path, "text or a mapping")
    mount = parse_mount(node, path)
    mount.target = clean_path(mount.target) if mount.target else ""
    return mount.long(node)


def _device(node: Node, path: Path) -> Node:
    if isinstance(node.value, dict):
        return node
    if not isinstance(node.value, str):
        return _wrong(node, path, "text or a mapping")
    parts = node.value.split(":")
    if len(parts) > 3:
        fail(f"{dotted(path)}: more than three parts in {node.value!r}", node, code=_CODE)
    values = {
        "source": parts[0],
        "target": (parts[1] if len(parts) > 1 else "") or parts[0],
        "permissions": parts[2] if len(parts) > 2 else "rwm",
    }
    return node.become(
        {key: Node(value, node.at, None, node.used) for key, value in values.items()}
    )


def _ports(node: Node, path: Path) -> Node:
    if not isinstance(node.value, list):
        return _wrong(node, path, "a list")
    found: list[Node] = []
    for position, item in enumerate(node.value):
        if isinstance(item.value, dict):
            found.append(item)
        elif isinstance(item.value, str | int) and not isinstance(item.value, bool):
            try:
                found += parse_port(item, str(item.value))
            except PortError as error:
                fail(
                    f"{dotted((*path, position))}: {item.value!r}: {error}",
                    item,
                    code="compose-port",
                    hint="write [IP:][PUBLISHED:]TARGET[/tcp|udp|sctp], in quotes",
                )
        else:
            _wrong(item, (*path, position), "a port or a mapping")
    return node.become(found)


def _ulimit(node: Node, path: Path) -> Node:
    if isinstance(node.value, dict) or type(node.value) is int:
        return node
    return _wrong(node, path, "a whole number or a mapping")


def _text(node: Node, _path: Path) -> Node:
    return sprint_node(node)


def _external(node: Node, path: Path) -> Node:
    """`external: {name: x}`, which is deprecated, as `external: true` and `name: x`."""
    if node.value is None:
        return node
    if not isinstance(node.value, dict):
        return _wrong(node, path, "a mapping")
    external = node.value.get("external")
    if external is None or not isinstance(external.value, dict):
        return node
    inner, outer = external.get("name"), node.value.get("name")
    if inner is not None and outer is not None and inner.value != outer.value:
        fail(f"{dotted(path)}: name and external.name conflict", inner, code="compose-conflict")
    node.value["external"] = external.become(True)
    if inner is not None:
        node.value.setdefault("name", inner)
    return node


def _default_build(node: Node, _path: Path) -> Node:
    if isinstance(node.value, dict):
        node.value.setdefault("context", Node(".", node.at))
    return node


def _default_secret(node: Node, path: Path) -> Node:
    if not isinstance(node.value, dict):
        return _wrong(node, path, "a mapping")
    source = node.get("source")
    name = source.text() if source else ""
    node.value.setdefault("target", Node(f"/run/secrets/{name}", node.at))
    return node


def _default_port(node: Node, _path: Path) -> Node:
    if isinstance(node.value, dict):
        node.value.setdefault("protocol", Node("tcp", node.at))
        node.value.setdefault("mode", Node("ingress", node.at))
    return node


def _default_device(node: Node, path: Path) -> Node:
    if not isinstance(node.value, dict):
        return _wrong(node, path, "a mapping")
    if not {"count", "device_ids"} & node.value.keys():
        node.value["count"] = Node("all", node.at)
    return node


_ULIMITS: dict[str, Any] = {"*": _ulimit}
_LONG: dict[str, Any] = {
    **{section: {"*": _external} for section in ("volumes", "networks", "secrets", "configs")},
    "services": {
        "*": {
            "build": {
                "": _build,
                "additional_contexts": _key_value,
                "provenance": _text,
                "sbom": _text,
                "secrets": {"*": _file_mount},
                "ssh": partial(_key_value, alone="default"),
                "ulimits": _ULIMITS,
            },
            "configs": {"*": _file_mount},
            "depends_on": _depends_on,
            "develop": {"watch": {"*": {"ignore": _list, "include": _list}}},
            "devices": {"*": _device},
            "dns": _dns,
            "env_file": _env_file,
            "extends": _extends,
            "gpus": _gpus,
            "label_file": _list,
            "models": _names,
            "networks": _names,
            "ports": _ports,
            "secrets": {"*": _file_mount},
            "ulimits": _ULIMITS,
            "volumes": {"*": _volume},
        }
    },
}
_DEFAULTS: dict[str, Any] = {
    "services": {
        "*": {
            "build": _default_build,
            "deploy": {"resources": {"reservations": {"devices": {"*": _default_device}}}},
            "gpus": {"*": _default_device},
            "ports": {"*": _default_port},
            "secrets": {"*": _default_secret},
        }
    }
}
