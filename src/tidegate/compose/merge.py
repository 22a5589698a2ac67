"""Two descriptions become one: later files over earlier ones, a service over what it extends.

Mappings merge, lists grow, scalars are replaced, and some keys have rules of their own; then list
entries that mean the same thing are reduced to the last one.
Source: https://github.com/compose-spec/compose-go/tree/v2.9.1/override.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from tidegate.compose.gotext import sprint
from tidegate.compose.nodes import Node, Path, dotted, fail

_CODE = "compose-merge"
Rule: TypeAlias = Callable[[Node, Node, Path], Node]


def merge(base: Node, over: Node) -> Node:
    """The project `base` with the file `over` on top; neither is changed."""
    return _merge(base, over, _RULES, ())


def merge_service(base: Node, over: Node) -> Node:
    """A service on top of the one that it extends."""
    return _merge(base, over, _RULES["services"]["*"], ("services", "x"))


def _merge(base: Node, over: Node, rules: Any, path: Path) -> Node:
    rule = rules.get("") if isinstance(rules, dict) else rules
    if rule is not None:
        merged: Node = rule(base, over, path)
        return merged
    if over.value is None:
        return base
    if isinstance(base.value, dict):
        if not isinstance(over.value, dict):
            _conflict(over, path)
        return _mappings(base, over, path, rules)
    if isinstance(base.value, list):
        if not isinstance(over.value, list):
            return _conflict(over, path)
        return base.become(base.value + over.value)
    return over


def _conflict(over: Node, path: Path) -> NoReturn:
    fail(
        f"cannot override {dotted(path)} with another kind of value",
        over,
        code=_CODE,
        hint="use the form of the earlier file, or !override to replace the value",
    )


def _mappings(base: Node, over: Node, path: Path, rules: Any = None) -> Node:
    result = dict(base.children())
    rules = rules if isinstance(rules, dict) else {}
    rest = rules.get("*")
    for key, value in over.children().items():
        known = result.get(key)
        result[key] = (
            value if known is None else _merge(known, value, rules.get(key, rest), (*path, key))
        )
    return base.become(result)


def _replace(_base: Node, over: Node, _path: Path) -> Node:
    return over


def _sequences(base: Node, over: Node, path: Path) -> Node:
    return base.become([*as_sequence(base, path), *as_sequence(over, path)])


def _extra_hosts(base: Node, over: Node, path: Path) -> Node:
    first = as_sequence(base, path)
    known = {item.value for item in first if isinstance(item.value, str)}
    return base.become([*first, *(i for i in as_sequence(over, path) if i.value not in known)])


def as_sequence(node: Node, path: Path) -> list[Node]:
    """`{A: b}` as `[A=b]`, sorted; text as a list of one."""
    if isinstance(node.value, list):
        return node.value
    if isinstance(node.value, str):
        return [node]
    found: list[tuple[str, Node]] = []
    for key, child in node.children().items():
        values = child.value if isinstance(child.value, list) else [child]
        for one in values:
            text = key if one.value is None else f"{key}={sprint(one.value)}"
            found.append((text, Node(text, one.at, child.key_at, one.used)))
    if node.value is not None and not isinstance(node.value, dict):
        fail(f"{dotted(path)} must be a list or a mapping", node, code=_CODE)
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def _keyed(node: Node, path: Path, default: dict[str, Node] | None) -> Node:
    """`[a, b]` as `{a: …, b: …}`."""
    if not isinstance(node.value, list):
        return node
    found: dict[str, Node] = {}
    for item in node.value:
        if not isinstance(item.value, str):
            fail(f"{dotted(path)} must list names", item, code=_CODE)
        found[item.value] = Node(None if default is None else dict(default), item.at, item.at)
    return node.become(found)


def _named(base: Node, over: Node, path: Path) -> Node:
    return _mappings(_keyed(base, path, None), _keyed(over, path, None), path)


def _depends_on(base: Node, over: Node, path: Path) -> Node:
    def keyed(node: Node) -> Node:
        return _keyed(node, path, dependency_defaults(node))

    return _mappings(keyed(base), keyed(over), path)


def dependency_defaults(node: Node) -> dict[str, Node]:
    """What the short form of `depends_on` means."""
    return {"condition": Node("service_started", node.at), "required": Node(True, node.at)}


def _build(base: Node, over: Node, path: Path) -> Node:
    def long(node: Node) -> Node:
        return node.become({"context": node}) if isinstance(node.value, str) else node

    rules = dict.fromkeys(("args", "additional_contexts", "labels"), _sequences)
    return _mappings(long(base), long(over), path, {**rules, "extra_hosts": _extra_hosts})


def _logging(base: Node, over: Node, path: Path) -> Node:
    """Options merge only when both name the same driver, or one names none."""
    first, second = base.get("driver"), over.get("driver")
    if first is None or second is None or first.value == second.value:
        return _mappings(base, over, path)
    return over


def _ipam(base: Node, over: Node, path: Path) -> Node:
    """Pools merge by subnet."""
    if not isinstance(base.value, list) or not isinstance(over.value, list):
        fail(f"{dotted(path)} must be a list", over, code=_CODE)
    found: list[Node] = []

    def index(subnet: object) -> int | None:
        return next((i for i, pool in enumerate(found) if _subnet(pool) == subnet), None)

    for known in base.value:
        for pool in over.value:
            if _subnet(pool) != _subnet(known) and index(_subnet(pool)) is None:
                found.append(pool)
                continue
            merged = _mappings(known, pool, path)
            position = index(_subnet(merged))
            if position is None:
                found.append(merged)
            else:
                found[position] = merged
    return base.become(found)


def _subnet(pool: Node) -> object:
    subnet = pool.get("subnet")
    return None if subnet is None else subnet.value


_RULES: dict[str, Any] = {
    "networks": {"*": {"ipam": {"config": _ipam}, "labels": _sequences}},
    "volumes": {"*": {"labels": _sequences}},
    "services": {
        "*": {
            **dict.fromkeys(
                [
                    "annotations",
                    "dns",
                    "dns_opt",
                    "dns_search",
                    "env_file",
                    "label_file",
                    "environment",
                    "labels",
                    "sysctls",
                    "tmpfs",
                ],
                _sequences,
            ),
            **dict.fromkeys(("command", "entrypoint"), _replace),
            **dict.fromkeys(("models", "networks"), _named),
            "build": _build,
            "depends_on": _depends_on,
            "deploy": {"labels": _sequences},
            "extra_hosts": _extra_hosts,
            "healthcheck": {"test": _replace},
            "logging": _logging,
            "ulimits": {"*": _replace},
        }
    },
}
