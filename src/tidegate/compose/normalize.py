"""What is implied becomes explicit: networks, names, dependencies, values from outside.

Source: https://github.com/compose-spec/compose-go/blob/v2.9.1/loader/normalize.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.compose.assemble import inherited
from tidegate.compose.gopath import clean_path
from tidegate.compose.gotext import sprint
from tidegate.compose.nodes import Node

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_NAMESPACES = ("network_mode", "ipc", "pid", "uts", "cgroup")


def normalize(root: Node, name: str, environment: Mapping[str, str]) -> None:
    """Make a model explicit, in place."""
    services = root.get("services")
    used_default = False
    for service in services.children().values() if services else ():
        used_default |= _join_networks(service)
        _service(service, environment)
    if used_default:
        networks = root.get("networks") or Node({}, root.at)
        if not isinstance(networks.value, dict):
            networks = networks.become({})
        networks.children().setdefault("default", Node(None, root.at))
        root.children()["networks"] = networks
    for section in ("networks", "volumes", "configs", "secrets"):
        found = root.get(section)
        for key, entry in list(found.children().items()) if found else ():
            assert found is not None
            found.children()[key] = _named(entry, key, name)


def _join_networks(service: Node) -> bool:
    """Give a service the default network if it has none; whether it uses that one."""
    if service.get("provider") is not None or service.get("network_mode") is not None:
        return False
    networks = service.get("networks")
    if networks is None or not networks.children():
        at = service.at if networks is None else networks.at
        service.children()["networks"] = Node({"default": Node(None, at)}, at)
        return True
    return "default" in networks.children()


def _named(entry: Node, key: str, project: str) -> Node:
    """A network, volume, config or secret without a name takes its key's, within the project."""
    values = dict(entry.children())
    name = values.get("name")
    if name is None or name.value is None:
        external = values.get("external")
        own = external is not None and sprint(external.value) in _TRUE
        values["name"] = Node(key if own else f"{project}_{key}", entry.key_at or entry.at)
    return entry.become(values)


def _service(service: Node, environment: Mapping[str, str]) -> None:
    values = service.children()
    policy = values.get("pull_policy")
    if policy is not None and policy.value == "if_not_present":
        values["pull_policy"] = policy.become("missing")
    build = values.get("build")
    if build is not None:
        keys = build.children()
        if _absent(build, "context"):
            keys["context"] = Node(".", build.at)
        if _absent(build, "dockerfile") and _absent(build, "dockerfile_inline"):
            keys["dockerfile"] = Node("Dockerfile", build.at)
        if "args" in keys:
            keys["args"] = _resolve(keys["args"], environment, keep=False)
    if "environment" in values:
        values["environment"] = _resolve(values["environment"], environment, keep=True)
    for volume in values["volumes"].items() if "volumes" in values else ():
        target = volume.get("target")
        if target is not None:
            volume.children()["target"] = target.become(clean_path(target.text()))
    _depend(service)


def _absent(node: Node, key: str) -> bool:
    found = node.get(key)
    return found is None or found.value is None


def _resolve(node: Node, environment: Mapping[str, str], *, keep: bool) -> Node:
    """Entries without a value take it from outside; those without any stay only with `keep`."""
    if isinstance(node.value, list):
        items = [inherited(item, environment) for item in node.value]
        return node.become([item for item in items if keep or "=" in item.text()])
    found: dict[str, Node] = {}
    for key, child in node.children().items():
        if child.value is None and key in environment:
            found[key] = Node(environment[key], child.at, child.key_at, frozenset((key,)))
        elif child.value is not None or keep:
            found[key] = child
    return node.become(found)


def _depend(service: Node) -> None:
    """Links, shared namespaces and `volumes_from` are dependencies too."""
    values = service.children()
    known = values.get("depends_on")
    found = dict(known.children()) if known else {}

    def add(name: str, at: Node, *, restart: bool) -> None:
        if name not in found:
            entries: dict[str, str | bool] = {
                "condition": "service_started",
                "restart": restart,
                "required": True,
            }
            leaves = {key: Node(value, at.at) for key, value in entries.items()}
            found[name] = Node(leaves, at.at, at.at)

    for link in values["links"].items() if "links" in values else ():
        parts = link.text().split(":")
        add(parts[0] if len(parts) == 2 else link.text(), link, restart=True)
    for key in _NAMESPACES:
        reference = values.get(key)
        if reference is not None and reference.text().startswith("service:"):
            add(reference.text().removeprefix("service:"), reference, restart=True)
    for source in values["volumes_from"].items() if "volumes_from" in values else ():
        if not source.text().startswith("container:"):
            add(source.text().split(":")[0], source, restart=False)
    if found:
        values["depends_on"] = (known or service).become(found)
