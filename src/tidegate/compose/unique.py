"""List entries that mean the same thing are reduced to the last one, in the place of the first.

Source: https://github.com/compose-spec/compose-go/blob/v2.9.1/override/uncity.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tidegate.compose.mounts import parse_mount
from tidegate.compose.nodes import Node, Path, dotted, fail

_CODE = "compose-type"
Index: TypeAlias = Callable[[Node, Path], object]


def unique(root: Node) -> Node:
    """The project without repetitions; InputError for entries that cannot be told apart."""
    return _unique(root, _INDEXES, ())


def _unique(node: Node, indexes: Any, path: Path) -> Node:
    if isinstance(node.value, dict) and isinstance(indexes, dict):
        rest = indexes.get("*")
        for key, child in node.value.items():
            below = indexes.get(key, rest)
            if below is not None:
                node.value[key] = _unique(child, below, (*path, key))
    elif isinstance(node.value, list) and callable(indexes):
        found: dict[object, Node] = {}
        for position, item in enumerate(node.value):
            found[indexes(item, (*path, position))] = item
        if len(found) < len(node.value):
            return node.become(list(found.values()))
    return node


def _name(node: Node, path: Path) -> object:
    """`KEY` of `KEY=value`."""
    if not isinstance(node.value, str):
        fail(f"{dotted(path)} must be text", node, code=_CODE, hint="quote the value")
    return node.value.partition("=")[0]


def _target(node: Node, path: Path) -> object:
    if isinstance(node.value, str):
        return parse_mount(node, path).target
    return _long_target(node, path, "volume")


def _long_target(node: Node, path: Path, kind: str) -> object:
    if not isinstance(node.value, dict):
        return ""
    target = node.get("target")
    if target is None or not isinstance(target.value, str):
        fail(f"{dotted(path)}: the {kind} has no mount target", node, code="compose-missing")
    return target.value


def _device(node: Node, path: Path) -> object:
    if isinstance(node.value, str):
        parts = node.value.split(":")
        return parts[0] if len(parts) == 1 else parts[1]
    return _long_target(node, path, "device")


def _expose(node: Node, path: Path) -> object:
    if isinstance(node.value, bool) or not isinstance(node.value, str | int):
        fail(f"{dotted(path)} must be a port or a range of ports", node, code=_CODE)
    return str(node.value)


def _mount(directory: str) -> Index:
    def index(node: Node, path: Path) -> object:
        if isinstance(node.value, str):
            return f"{directory}/{node.value}"
        if not isinstance(node.value, dict):
            fail(f"{dotted(path)} must be a name or a mapping", node, code=_CODE)
        target = node.get("target")
        if target is not None:
            return target.text()
        source = node.get("source")
        return f"{directory}/{source.text() if source else ''}"

    return index


def _port(node: Node, path: Path) -> object:
    if isinstance(node.value, dict):
        target = node.get("target")
        if target is None:
            fail(f"{dotted(path)}: the port has no target", node, code="compose-missing")

        def part(key: str, default: object) -> object:
            child = node.get(key)
            return default if child is None else (type(child.value), str(child.value))

        host = node.get("host_ip")
        protocol = node.get("protocol")
        return (
            "0.0.0.0" if host is None else host.text(),  # noqa: S104 - compose's own default
            part("published", None),
            str(target.value),
            "tcp" if protocol is None else protocol.text(),
        )
    return "" if isinstance(node.value, bool | list) else str(node.value)


def _env_file(node: Node, path: Path) -> object:
    if isinstance(node.value, dict):
        target = node.get("path")
        if target is None:
            fail(f"{dotted(path)}: the env file has no path", node, code="compose-missing")
        return target.text()
    return node.text()


_INDEXES: dict[str, Any] = {
    "networks": {"*": {"labels": _name, "ipam": {"options": _name}}},
    "services": {
        "*": {
            **dict.fromkeys(
                [
                    "annotations",
                    "cap_add",
                    "cap_drop",
                    "dns",
                    "dns_opt",
                    "dns_search",
                    "environment",
                    "labels",
                    "links",
                    "profiles",
                    "sysctls",
                    "tmpfs",
                ],
                _name,
            ),
            "build": dict.fromkeys(
                ["args", "additional_contexts", "platform", "tags", "labels"], _name
            ),
            "configs": _mount(""),
            "deploy": {"labels": _name},
            "devices": _device,
            "env_file": _env_file,
            "expose": _expose,
            "networks": {"*": {"aliases": _name, "link_local_ips": _name}},
            "ports": _port,
            "secrets": _mount("/run/secrets"),
            "volumes": _target,
        }
    },
}
