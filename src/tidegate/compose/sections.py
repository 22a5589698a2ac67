"""Rules about single entries that the schema cannot say.

Source: https://github.com/compose-spec/compose-go/tree/v2.9.1/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.compose.nodes import Node, Path, dotted, fail
from tidegate.compose.ports import is_ip

_EXTERNAL_KEYS = frozenset(("name", "external"))


def check_sections(root: Node) -> None:
    """InputError for the first entry that contradicts itself."""
    for name, volume in _entries(root, "volumes"):
        _check_external(volume, ("volumes", name))
    for name, config in _entries(root, "configs"):
        _check_file(config, ("configs", name), ("file", "environment", "content"))
    for name, secret in _entries(root, "secrets"):
        _check_file(secret, ("secrets", name), ("file", "environment"))
    for name, service in _entries(root, "services"):
        _check_service(service, ("services", name))


def _entries(root: Node, section: str) -> Iterator[tuple[str, Node]]:
    found = root.get(section)
    if found is not None:
        yield from found.children().items()


def _items(node: Node | None, *keys: str) -> list[Node]:
    for key in keys:
        node = node.get(key) if node is not None else None
    return node.items() if node is not None else []


def _check_external(volume: Node, path: Path) -> None:
    external = volume.get("external")
    if external is None or external.value is not True:
        return
    for key, child in volume.children().items():
        if key not in _EXTERNAL_KEYS and not key.startswith("x-"):
            fail(
                f"{dotted(path)}: external conflicts with {key!r}",
                child.key_at or child,
                code="compose-conflict",
                hint="an external volume exists already: only its name can be given",
            )


def _check_file(entry: Node, path: Path, keys: tuple[str, ...]) -> None:
    given = [key for key in keys if entry.get(key) is not None]
    if len(given) > 1:
        fail(
            f"{dotted(path)}: {' and '.join(given)} exclude each other",
            entry,
            code="compose-conflict",
        )
    if not given and entry.get("driver") is None and entry.get("external") is None:
        fail(f"{dotted(path)}: one of {', '.join(keys)} must be set", entry, code="compose-missing")


def _check_service(service: Node, path: Path) -> None:
    for position, port in enumerate(_items(service, "ports")):
        ip = port.get("host_ip")
        if ip is not None and not is_ip(ip.text()):
            place = dotted((*path, "ports", position))
            fail(f"{place}: invalid IP address {ip.text()!r}", ip, code="compose-port")
    for position, trigger in enumerate(_items(service, "develop", "watch")):
        watched = trigger.get("path")
        if watched is not None and watched.value == "":
            place = dotted((*path, "develop", "watch", position))
            fail(f"{place}: the path is empty", watched, code="compose-missing")
    devices = _items(service, "deploy", "resources", "reservations", "devices")
    for request in (*devices, *_items(service, "gpus")):
        if request.get("count") is not None and request.get("device_ids") is not None:
            fail(
                f"{dotted(path)}: count and device_ids exclude each other",
                request,
                code="compose-conflict",
            )
