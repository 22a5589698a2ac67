"""A YAML value that knows where it was written and which variables made it.

The loader works on trees of :class:`Node`; a place is (file, line, column), counted from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.errors import InputError, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, TypeAlias

Mark: TypeAlias = tuple[str, int, int]
Path: TypeAlias = tuple[str | int, ...]
Value: TypeAlias = "bool | int | float | str | Timestamp | list[Node] | dict[str, Node] | None"
Names: TypeAlias = frozenset[str]

_TIMESTAMP = r"([0-9-]+)(?:[Tt ]([0-9:.,]+))?(.*)"
NO_NAMES: Names = frozenset()
LONGEST_MESSAGE = 500


class Timestamp:
    """A plain YAML scalar that go-yaml reads as a time; no compose key takes one."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def rfc3339(self) -> str:
        """The time as Go prints it in JSON; a time without a zone is UTC."""
        found = re.match(_TIMESTAMP, self.text)
        assert found is not None
        day, time, zone = found.groups()
        year, month, date = day.split("-")
        clock = time.replace(",", ".").split(":") if time else ["00", "00", "00"]
        seconds, _, fraction = clock[2].partition(".")
        fraction = f".{fraction.rstrip('0')}" if fraction.strip("0") else ""
        hours = ":".join(part.rjust(2, "0") for part in (clock[0], clock[1], seconds))
        return f"{year}-{month:0>2}-{date:0>2}T{hours}{fraction}{zone or 'Z'}"


class Node:
    """A value, its place, its key's place, and the variables that were put into it."""

    __slots__ = ("at", "key_at", "used", "value")

    def __init__(
        self, value: Value, at: Mark, key_at: Mark | None = None, used: Names = NO_NAMES
    ) -> None:
        self.value = value
        self.at = at
        self.key_at = key_at
        self.used = used

    def become(self, value: Value) -> Node:
        """Another value in the same place, made from the same variables."""
        return Node(value, self.at, self.key_at, self.used)

    def get(self, key: str) -> Node | None:
        """The child of a mapping; None where there is none, or where this is no mapping."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def children(self) -> dict[str, Node]:
        """The entries of a mapping; none where this is no mapping."""
        return self.value if isinstance(self.value, dict) else {}

    def items(self) -> list[Node]:
        """The entries of a sequence; none where this is no sequence."""
        return self.value if isinstance(self.value, list) else []

    def text(self) -> str:
        """The value if it is text, else the empty text."""
        return self.value if isinstance(self.value, str) else ""

    def all_used(self) -> Names:
        """The variables put into this value or into anything below it."""
        return frozenset(name for node in self.walk() for name in node.used)

    def walk(self) -> Iterator[Node]:
        """This node and everything below it."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if isinstance(node.value, dict):
                stack.extend(node.value.values())
            elif isinstance(node.value, list):
                stack.extend(node.value)


def plain(node: Node) -> Any:
    """The value without places: dict, list and scalars."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value.rfc3339() if isinstance(value, Timestamp) else value


def where(mark: Mark | None) -> Where | None:
    """A mark as the place that errors carry."""
    return None if mark is None else Where(*mark)


def fail(
    message: str, at: Node | Mark | None, *, code: str, hint: str = "", subject: str = ""
) -> NoReturn:
    """Raise :class:`InputError` at a node's place; a value in a message is cut where it is long."""
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[:LONGEST_MESSAGE]}…"
    mark = at.at if isinstance(at, Node) else at
    raise InputError(message, code=code, where=where(mark), hint=hint, subject=subject)


def dotted(path: Path) -> str:
    """A path as people write it: ``services.web.ports[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
