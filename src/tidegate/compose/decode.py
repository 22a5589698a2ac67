"""How single values of the canonical form are read and written: the types of compose-go.

A decoder takes a node and gives the node that `docker compose config --format json` prints, or
None where it prints nothing. Wrong kinds of values raise InputError.
Sources: https://github.com/compose-spec/compose-go/tree/v2.9.1/types and, for what is converted
into what, https://github.com/go-viper/mapstructure/blob/v2.4.0/mapstructure.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tidegate.compose.gotext import float32, sprint, sprint_node
from tidegate.compose.interpolate import to_bool, to_float, to_int
from tidegate.compose.nodes import Node, Path, dotted, fail
from tidegate.compose.quantities import QuantityError, duration_ns, duration_text, size_bytes
from tidegate.compose.shellwords import CommandError, split

Decoder: TypeAlias = Callable[[Node, Path], "Node | None"]

_OCTAL = re.compile(r"[-+]?[0-7]{1,20}\Z")
EXTENSIONS = "#extensions"  # where docker compose moves x- keys, even out of a user's own mapping


def wrong(node: Node, path: Path, wanted: str, hint: str = "") -> Node:
    """Raise InputError for a value of the wrong kind."""
    fail(f"{dotted(path)} must be {wanted}", node, code="compose-type", hint=hint)


def text(node: Node, path: Path) -> Node | None:
    """Text; a whole number is text too, any other kind is not."""
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool):
        return sprint_node(node)
    if value is None or value == "":
        return None
    return node if isinstance(value, str) else wrong(node, path, "text", "quote the value")


def text_always(node: Node, path: Path) -> Node | None:
    """Text that is printed even when empty."""
    return text(node, path) or node.become("")


def _boolean(node: Node, path: Path) -> bool:
    if isinstance(node.value, str):
        try:
            return to_bool(node.value)
        except ValueError:
            wrong(node, path, "true or false")
    if not isinstance(node.value, bool):
        wrong(node, path, "true or false")
    return bool(node.value)


def boolean(node: Node, path: Path) -> Node | None:
    """A boolean that is printed when true."""
    return node.become(True) if node.value is not None and _boolean(node, path) else None


def optional_boolean(node: Node, path: Path) -> Node | None:
    """A boolean that is printed whenever it was given."""
    return None if node.value is None else node.become(_boolean(node, path))


def _integer(node: Node, path: Path) -> int:
    value = node.value
    if isinstance(value, str):
        try:
            return to_int(value)
        except ValueError:
            wrong(node, path, "a whole number")
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        wrong(node, path, "a whole number")
    assert isinstance(value, int | float)
    if not -(2**63) <= value < 2**63:
        wrong(node, path, "a whole number of 64 bits")
    return int(value)


def integer(node: Node, path: Path) -> Node | None:
    """A whole number that is printed when it is not 0."""
    number = 0 if node.value is None else _integer(node, path)
    return node.become(number) if number else None


def integer_always(node: Node, path: Path) -> Node | None:
    """A whole number that is printed even when 0."""
    return node.become(0 if node.value is None else _integer(node, path))


def optional_integer(node: Node, path: Path) -> Node | None:
    """A whole number that is printed whenever it was given."""
    return None if node.value is None else node.become(_integer(node, path))


def unsigned(bits: int) -> Decoder:
    """A whole number of so many bits from 0 on, printed when it is not 0."""

    def decode(node: Node, path: Path) -> Node | None:
        if isinstance(node.value, str):
            wrong(node, path, "a whole number")
        found = integer(node, path)
        if found is not None and isinstance(found.value, int) and found.value < 0:
            wrong(node, path, "a whole number from 0 on")
        if found is not None and isinstance(found.value, int):
            found.value &= 2**bits - 1
        return found

    return decode


def unsigned_always(bits: int) -> Decoder:
    """A whole number of so many bits from 0 on, printed even when it is 0."""
    decode_some = unsigned(bits)
    return lambda node, path: decode_some(node, path) or node.become(0)


def optional_unsigned(node: Node, path: Path) -> Node | None:
    """A whole number from 0 on, printed whenever it was given."""
    found = optional_integer(node, path)
    if found is not None and (isinstance(node.value, str) or _integer(found, path) < 0):
        wrong(node, path, "a whole number from 0 on")
    return found


def number(node: Node, path: Path) -> Node | None:
    """A 32-bit floating point number that is printed when it is not 0."""
    value = node.value
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = to_float(value)
        except ValueError:
            wrong(node, path, "a number")
    if isinstance(value, bool) or not isinstance(value, int | float):
        wrong(node, path, "a number")
    assert isinstance(value, int | float)
    narrow = float32(float(value))
    if narrow != narrow or narrow in (float("inf"), -float("inf")):
        wrong(node, path, "a finite number")
    if not narrow:
        return None
    return node.become(int(narrow) if narrow.is_integer() else narrow)


def _size(node: Node, path: Path) -> int:
    value = node.value
    if isinstance(value, str):
        try:
            return size_bytes(value)
        except QuantityError as error:
            fail(f"{dotted(path)}: {error}", node, code="compose-size", hint="such as 512m or 1g")
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def size(node: Node, path: Path) -> Node | None:
    """Bytes, printed as text when not 0; fractions without a unit count as 0, as in compose-go."""
    found = _size(node, path)
    return node.become(str(found)) if found else None


def size_always(node: Node, path: Path) -> Node | None:
    """Bytes as text, printed even when 0."""
    return node.become(str(_size(node, path)))


def _duration(node: Node, path: Path) -> int:
    try:
        return duration_ns(sprint(node.value))
    except QuantityError as error:
        fail(f"{dotted(path)}: {error}", node, code="compose-duration", hint="such as 30s or 1m30s")


def duration(node: Node, path: Path) -> Node | None:
    """A duration that is printed when it is not 0."""
    found = 0 if node.value is None else _duration(node, path)
    return node.become(duration_text(found)) if found else None


def optional_duration(node: Node, path: Path) -> Node | None:
    """A duration that is printed whenever it was given."""
    return None if node.value is None else node.become(duration_text(_duration(node, path)))


def texts(node: Node, path: Path) -> Node | None:
    """A list of text, printed when it is not empty."""
    if node.value is None:
        return None
    if not isinstance(node.value, list):
        return wrong(node, path, "a list")
    found = [text_always(item, (*path, i)) for i, item in enumerate(node.value)]
    return node.become([item for item in found if item]) if found else None


def text_or_texts(node: Node, path: Path) -> Node | None:
    """Text or a list of nothing but text."""
    if isinstance(node.value, str):
        return node.become([node])
    for position, item in enumerate(node.items()):
        if not isinstance(item.value, str):
            wrong(item, (*path, position), "text", "quote the value")
    return texts(node, path)


def texts_or_numbers(node: Node, path: Path) -> Node | None:
    """A list of text or numbers, printed as text."""
    if isinstance(node.value, str):
        return node.become([node])
    if isinstance(node.value, list):
        return node.become([sprint_node(item) for item in node.value]) if node.value else None
    return None if node.value is None else wrong(node, path, "a list")


def command(node: Node, path: Path) -> Node | None:
    """Words; text is split. Nothing given and nothing to run are different: null and []."""
    if node.value is None:
        return node.become(None)
    if isinstance(node.value, str):
        try:
            words = split(node.value)
        except CommandError as error:
            fail(f"{dotted(path)}: {error}", node, code="compose-command", hint="use a list")
        return node.become([Node(word, node.at, None, node.used) for word in words])
    for position, item in enumerate(node.items()):
        if not isinstance(item.value, str):
            wrong(item, (*path, position), "text", "quote the value")
    return node


def health_test(node: Node, path: Path) -> Node | None:
    """A health check's command; text is for the container's shell."""
    if isinstance(node.value, str):
        return node.become([Node("CMD-SHELL", node.at), node.become(node.value)])
    return texts(node, path)


def file_mode(node: Node, path: Path) -> Node | None:
    """Permissions as `0440`; text is octal."""
    value = node.value
    if value is None:
        return None
    if isinstance(value, str):
        if not _OCTAL.match(value):
            wrong(node, path, "octal permissions", 'such as "0440"')
        value = int(value, 8)
    if isinstance(value, bool) or not isinstance(value, int):
        return wrong(node, path, "octal permissions", 'such as "0440"')
    return node.become(f"0{'-' if value < 0 else ''}{abs(value):o}")


def user_mapping(node: Node) -> dict[str, Node]:
    """A mapping whose keys are the user's; docker compose packs its x- keys together."""
    found = dict(node.children())
    extras = {key: found.pop(key) for key in list(found) if key.startswith("x-")}
    if extras:
        first = next(iter(extras.values()))
        found[EXTENSIONS] = Node(extras, first.at, first.key_at, node.become(extras).all_used())
    return found


def _pairs(node: Node, path: Path, alone: str | None) -> dict[str, Node]:
    """A mapping or a list of `key=value`; `alone` is the value of a key without one."""
    found: dict[str, Node] = {}
    if isinstance(node.value, list):
        for item in node.value:
            key, equals, value = sprint(item.value).partition("=")
            found[key] = Node(value if equals else alone, item.at, item.at, item.used)
        return found
    if not isinstance(node.value, dict):
        wrong(node, path, "a list or a mapping")
    for key, child in user_mapping(node).items():
        if child.value is None:
            found[key] = child.become(alone)
        else:
            found[key] = sprint_node(child)
    return found


def environment(node: Node, path: Path) -> Node | None:
    """Variables; one without a value is null."""
    if node.value is None:
        return None
    for position, item in enumerate(node.items()):
        key = sprint(item.value).partition("=")[0]
        if key[-1:].isspace():
            fail(
                f"{dotted((*path, position))}: variable {key!r} ends with a space",
                item,
                code="compose-environment",
                hint="write KEY=value without spaces around =",
            )
    found = _pairs(node, path, None)
    return node.become(found) if found else None


def mapping(node: Node, path: Path) -> Node | None:
    """Text by text; a key without a value has the empty text."""
    if node.value is None:
        return None
    found = _pairs(node, path, "")
    return node.become(found) if found else None


def options(node: Node, path: Path) -> Node | None:
    """As :func:`mapping`, but no list."""
    return wrong(node, path, "a mapping") if isinstance(node.value, list) else mapping(node, path)


def plain_options(node: Node, path: Path) -> Node | None:
    """A mapping of text to text, with no conversion but from whole numbers."""
    if node.value is None:
        return None
    if not isinstance(node.value, dict):
        return wrong(node, path, "a mapping")
    found = {
        key: text_always(child, (*path, key)) or child for key, child in user_mapping(node).items()
    }
    return node.become(found) if found else None


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one type, printed when it is not empty."""

    item: Decoder

    def __call__(self, node: Node, path: Path) -> Node | None:
        if node.value is None:
            return None
        if not isinstance(node.value, list):
            return wrong(node, path, "a list")
        found = [self.item(item, (*path, i)) for i, item in enumerate(node.value)]
        return node.become([item for item in found if item is not None]) if found else None


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from the user's names to one type, printed when it is not empty."""

    item: Decoder

    def __call__(self, node: Node, path: Path) -> Node | None:
        if node.value is None:
            return None
        if not isinstance(node.value, dict):
            return wrong(node, path, "a mapping")
        found = {
            key: self.item(child, (*path, key)) or child.become(None)
            for key, child in node.value.items()
        }
        return node.become(found) if found else None
