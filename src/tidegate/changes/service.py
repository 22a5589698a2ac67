"""One service of a compose file as written: what it is, which files it names, what it builds.

A path with a variable counts as the folder before the variable. Paths on the host and those
outside of the repository are nobody's business here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate.changes.model import Build, Reference, Service
from tidegate.compose.mounts import parse_mount
from tidegate.compose.nodes import Node, plain, where
from tidegate.compose.variables import Used, VariableError, substitute
from tidegate.repo.tree import joined
from tidegate.shapes import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

USES = {"networks": "networks", "configs": "configs", "secrets": "secrets"}
_VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$\{?([A-Za-z_]\w*)")
_ELSEWHERE = ("/", "~", "git@", "github.com/", "docker-image:", "service:", "target:")
_URL = r"[A-Za-z][\w+-]*://"


class Place(Row):
    """Where a service stands: its file, the folder that its paths count from, its document,
    and the other sections of its project."""

    file: str
    folder: str
    root: Node
    sections: Mapping[str, Mapping[str, Node]]


def add(into: Service, body: Node, place: Place) -> None:
    """Put what one file says of a service on top of what is known."""
    part = into.parts.setdefault(place.file, {})
    into.where = into.where or where(body.key_at or body.at)
    used = list(_used(body, place))
    values = {key: plain(child) for key, child in body.children().items()}
    values |= {f"{section}.{name}": plain(node) for section, name, node in used}
    for key, value in values.items():
        part.setdefault(key, []).append(value)
    into.variables |= set(_variables(list(values.values())))
    into.variables |= set(_passed(body.get("environment")))
    image = body.get("image")
    into.image = image.text() if image else into.image
    if body.get("build") is not None:
        into.build = _build(body.children()["build"], place, into.build)
    into.references += _references(body, place, used)
    into.follows += [
        name
        for name, node in _entries(body, "depends_on")
        if (restart := node.get("restart")) is not None and restart.value is True
    ]


def path_of(text: str, folder: str) -> str | None:
    """A path below the repository, seen from a folder; None for one that leads elsewhere."""
    if "$" in text:
        text = _value(text) or text.partition("$")[0].rpartition("/")[0]
    if not text or text.startswith(_ELSEWHERE) or ("://" in text and re.match(_URL, text)):
        return None
    found = joined(folder, text)
    return None if found.startswith("..") else found


def _references(body: Node, place: Place, used: list[tuple[str, str, Node]]) -> Iterator[Reference]:
    for key in ("env_file", "label_file"):
        for item in _listed(body.get(key)):
            file = item.get("path") or item
            yield from _reference(file, f"{key} {file.text()}", place.folder)
    for mount in _listed(body.get("volumes")):
        yield from _mounted(mount, place.folder)
    for section, name, entry in used:
        named = entry.get("file")
        if named is not None:
            yield from _reference(named, f"{section.removesuffix('s')} {name}", place.folder)
        device = (entry.get("driver_opts") or entry).get("device")
        if device is not None:
            yield from _reference(device, f"volume {name} is {device.text()}", place.folder)


def _mounted(mount: Node, folder: str) -> Iterator[Reference]:
    if isinstance(mount.value, str):
        parsed = parse_mount(mount, ("volumes",))
        if parsed.type == "bind":
            source = mount.become(parsed.source)
            yield from _reference(source, f"bind mount of {parsed.source}", folder)
    elif (kind := mount.get("type")) is not None and kind.value == "bind":
        found = mount.get("source")
        if found is not None:
            yield from _reference(found, f"bind mount of {found.text()}", folder)


def _reference(node: Node, rule: str, folder: str) -> Iterator[Reference]:
    path = path_of(node.text(), folder)
    if path is not None:
        yield Reference(path, rule)


def _used(body: Node, place: Place) -> Iterator[tuple[str, str, Node]]:
    """What the service uses of the other sections."""
    for key, section in USES.items():
        node = body.get(key)
        names = list(node.children()) if node is not None else []
        for item in node.items() if node is not None else ():
            source = item.get("source") or item
            names.append(source.text())
        for name in names:
            if name in place.sections[section]:
                yield section, name, place.sections[section][name]
    for mount in _listed(body.get("volumes")):
        named = mount.get("source")
        name = named.text() if named else mount.text().partition(":")[0]
        if name in place.sections["volumes"]:
            yield "volumes", name, place.sections["volumes"][name]


def _build(node: Node, place: Place, before: Build | None) -> Build:
    if isinstance(node.value, str):
        return Build(path_of(node.value, place.folder))

    def text(key: str) -> str:
        found = node.get(key)
        return found.text() if found is not None else ""

    known = before or Build(None)
    context = path_of(text("context"), place.folder) if node.get("context") else known.context
    if node.get("context") is None and before is None:
        context = joined(place.folder, "")
    named = {name: value or "" for name, value in _pairs(node.get("additional_contexts"))}
    folders = {name: path_of(value, place.folder) for name, value in named.items()}
    others = [v.removeprefix("service:") for v in named.values() if v.startswith("service:")]
    return Build(
        context,
        dockerfile=text("dockerfile") or known.dockerfile,
        inline=text("dockerfile_inline") or known.inline,
        target=text("target") or known.target,
        arguments=known.arguments + tuple(_pairs(node.get("args"))),
        contexts=known.contexts + tuple((k, v) for k, v in folders.items() if v is not None),
        services=known.services + tuple(others),
    )


def _pairs(node: Node | None) -> Iterator[tuple[str, str | None]]:
    """``{a: b}`` or ``["a=b"]``; None is a value that only an environment has."""
    if node is None:
        return
    for key, child in node.children().items():
        yield key, None if child.value is None else _value(str(child.value))
    for item in node.items():
        name, equals, value = item.text().partition("=")
        yield name, _value(value) if equals else None


def _value(text: str) -> str | None:
    """A text with its variables' defaults; None where one has none."""
    used = Used()
    try:
        value = substitute(text, lambda _: None, used)
    except VariableError:
        return None
    return None if used.missing else value


def _passed(node: Node | None) -> Iterator[str]:
    """Variables of ``environment`` that take their value from outside."""
    if node is not None:
        yield from (name for name, child in node.children().items() if child.value is None)
        yield from (item.text() for item in node.items() if "=" not in item.text())


def _variables(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _VARIABLE.findall(value)
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _variables(key)
            yield from _variables(child)
    elif isinstance(value, list):
        for child in value:
            yield from _variables(child)


def _entries(body: Node, key: str) -> Iterator[tuple[str, Node]]:
    found = body.get(key)
    if found is not None:
        yield from found.children().items()


def _listed(node: Node | None) -> list[Node]:
    """A list, or the one thing that stands in its place."""
    if node is None:
        return []
    return node.items() if isinstance(node.value, list) else [node]
