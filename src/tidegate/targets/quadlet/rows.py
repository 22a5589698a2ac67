"""The shapes of a row of the compose table: a function that writes one compose key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tidegate.targets.quadlet.scope import Found, Scope
from tidegate.targets.quadlet.sheet import Path, Sheet, leaves


class Service:
    """What a row works on: the sheet it writes, the service, and what is found on the way."""

    __slots__ = ("compose", "found", "name", "scope", "sheet")

    def __init__(self, sheet: Sheet, scope: Scope, name: str, found: Found) -> None:
        self.sheet = sheet
        self.scope = scope
        self.name = name
        self.compose: Mapping[str, Any] = scope.service(name)
        self.found = found


Row = Callable[[Service, str, Any], None]


def key(name: str) -> Row:
    """A Quadlet key with the value as it is."""
    return lambda service, at, value: service.sheet.key((at,), name, text(value))


def each(name: str) -> Row:
    """A Quadlet key once per item."""

    def write(service: Service, at: str, value: Any) -> None:
        # An item that a variable left empty says nothing.
        items = [text(item) for item in value if item != ""]
        if items:
            service.sheet.key((at,), name, *items)
        else:
            service.sheet.default((at,), "empty")

    return write


def pairs(name: str) -> Row:
    """A Quadlet key once per ``name=value`` of a map."""

    def write(service: Service, at: str, value: Any) -> None:
        if value:
            service.sheet.key((at,), name, *(f"{k}={text(v)}" for k, v in sorted(value.items())))
        else:
            service.sheet.default((at,), "empty")

    return write


def switch(name: str) -> Row:
    """A Quadlet key that is true, or left out."""

    def write(service: Service, at: str, value: Any) -> None:
        if value:
            service.sheet.key((at,), name, "true")
        else:
            service.sheet.default((at,))

    return write


def option(name: str) -> Row:
    """A podman option with the value as it is."""
    return lambda service, at, value: service.sheet.option((at,), name, text(value))


def flag(name: str) -> Row:
    """A bare podman option, or nothing."""

    def write(service: Service, at: str, value: Any) -> None:
        if value:
            service.sheet.option((at,), name)
        else:
            service.sheet.default((at,))

    return write


def deployed(reason: str) -> Row:
    """Carried out when deploying."""

    def write(service: Service, at: str, value: Any) -> None:
        for leaf in below(value, (at,)):
            service.sheet.deployed(leaf, reason)

    return write


def ignored(reason: str) -> Row:
    """Says nothing to a container: every leaf is reported, nothing refused."""

    def write(service: Service, at: str, value: Any) -> None:
        for leaf in below(value, (at,)):
            service.sheet.ignored(leaf, reason)

    return write


def refused(reason: str, hint: str = "") -> Row:
    """Cannot be expressed: refused when deploying, reported when exporting."""

    def write(service: Service, at: str, value: Any) -> None:
        for leaf in below(value, (at,)):
            service.sheet.unsupported(leaf, reason, hint)

    return write


def whole(sheet: Sheet, at: Path, argument: str) -> None:
    """Refuse an argument that no process can be given, also where JSON could write it."""
    if "\0" in argument:
        sheet.refuse(at, "the value holds a NUL character")


def resource(
    scope: Scope, main: str, key: str, body: Mapping[str, Any], strict: bool
) -> tuple[Sheet, str]:
    """A network's or volume's sheet with its name in it, and the name; an external one is told."""
    sheet = Sheet((f"{main.lower()}s", key), main, scope.project.where, strict)
    given = str(body.get("name") or key)
    if body.get("external"):
        for leaf in below(body, ()):
            sheet.deployed(leaf, "it belongs to somebody else and must exist")
        return sheet, sheet.named(("name",), given)
    name = sheet.named(("name",), scope.named(key, given))
    if sheet.writable(name):
        sheet.raw(main, f"{main}Name", name)
        sheet.also(("name",), "native", f"{main}Name")
    return sheet, name


def below(value: Any, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    """The leaves of a value, as a report names them."""
    return list(leaves(value, path))


def text(value: Any) -> str:
    """A scalar as compose prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
